"""A model as a folder: what every family of models needs to be saved, loaded and uploaded."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar, Self

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from lifecode.arguments import arguments_checked
from lifecode.models import hub, pretrained
from lifecode.models.config_values import built, require_values
from lifecode.models.masked_reading import MaskedReader, MaskedReading
from lifecode.models.weights import (
    converted,
    load_all_names,
    load_weights,
    require_depth,
    require_same_names,
    require_same_shapes,
)

_UNSAVED = "Merge its adapters first: merge_and_unload(); save a head of your own by itself"


class SavedModel(nn.Module):
    """A model that a folder of `lifecode.models.pretrained` holds.

    Attributes:
        family: written into config.json; `lifecode.load` finds the class by it.
        width: d of the hidden states.
        config: arguments of the constructor, with the family, as in config.json.
        training_genes: (num_genes, 16) sketches of the genes it was trained on, or None where they are not
            known; saved and loaded with the weights (see `lifecode.data.statistics.seen_genes`).
    """

    family: ClassVar[str]
    width: int
    config: dict[str, Any]
    training_genes: NDArray[np.uint32] | None = None

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Self:
        """An untrained model of the shape that `config` (as in config.json) describes.

        Raises:
            UserError: it has keys that this version of the program does not know, or values that no model
                has.
        """
        arguments = {key: value for key, value in config.items() if key not in ("family", "model_type")}
        require_values(cls, arguments)
        return built(cls, arguments)

    @classmethod
    def from_foreign(cls, path: Path) -> Self | None:
        """The model in a checkpoint of another program, in evaluation mode; None where `path` is none."""
        return None

    def masked_reader(self, reading: MaskedReading) -> MaskedReader | None:
        """The model as one that is asked what it expects at masked places (`MaskedModel`); None if none."""
        return None

    def load_state_dict(
        self, state_dict: Mapping[str, Any], strict: bool = True, assign: bool = False
    ) -> Any:
        """Loads weights, all of them.

        Args:
            state_dict: weights by name.
            strict: even if False no weight may be missing or unexpected; but the weights of peft's adapters
                may come alone to a model that has some.
            assign: as in torch.

        Raises:
            UserError: a missing, unexpected or reshaped weight.
        """
        adapted = hasattr(self, "peft_config")
        return load_all_names(
            super().load_state_dict, self, state_dict, strict=strict, assign=assign, adapted=adapted
        )

    def save_pretrained(self, folder: str | Path, *, dtype: torch.dtype | None = None) -> None:
        """Writes config.json, model.safetensors and SHA256SUMS, and training_genes.npy if they are known.

        Args:
            folder: made if it does not exist.
            dtype: of the weights in the file, such as `torch.float16` for half its size; None keeps theirs.
                A model that is loaded is in float32 whatever the file holds.

        Raises:
            UserError: a `dtype` that is no floating-point one or too narrow, weights beside those of the
                model, such as those of an adapter, or a folder that cannot be written.
        """
        state = converted(self.state_dict(), dtype)
        self.require_own_weights(state)
        pretrained.save(self, self.config, Path(folder), state=state, training_genes=self.training_genes)

    def require_own_weights(self, state: Mapping[str, Tensor]) -> None:
        """Raises a UserError unless `state` has the names and shapes of a model of this config."""
        with torch.device("meta"):
            own = type(self).from_config(self.config)
        found = {name: tuple(x.shape) for name, x in state.items()}
        require_same_names(own, found, "the model", _UNSAVED)

    def push_to_hub(
        self,
        name: str,
        *,
        revision: str | None = None,
        private: bool | None = None,
        commit_message: str = "Upload a model",
    ) -> str:
        """Uploads what `save_pretrained` writes to `user/name` on the Hugging Face hub.

        Args:
            name: of the repository, which is made if it does not exist.
            revision: branch to commit to; None is the main one.
            private: of a new repository; None leaves it to the account's default.
            commit_message: of the one commit.

        Returns:
            The address of the commit.

        Raises:
            UserError: no such name, no huggingface_hub, no connection, or no permission.
        """
        return hub.upload(
            self.save_pretrained, name, revision=revision, private=private, message=commit_message
        )

    @classmethod
    @arguments_checked
    def from_pretrained(cls, name_or_folder: str | Path, *, revision: str | None = None) -> Self:
        """The model that `save_pretrained` wrote, in evaluation mode and on the CPU.

        torch's random generator stays where it was.

        Args:
            name_or_folder: its folder, or `user/name` on the Hugging Face hub.
            revision: branch, tag or commit on the hub.

        Raises:
            UserError: no such folder or name, a file is missing, a checksum does not match, or the weights
                are of another shape than config.json says.
        """
        folder = hub.model_folder(name_or_folder, revision=revision)
        config = pretrained.read_config(folder, family=cls.family)
        require_depth(folder, config)
        with torch.device("meta"):
            require_same_shapes(cls.from_config(config), folder)
        # On the CPU whatever the host program's default is; drawing weights to be replaced leaves its dice.
        with torch.device("cpu"), torch.random.fork_rng(devices=[]):
            model = cls.from_config(config).float()
            load_weights(model, folder)
        model.training_genes = pretrained.read_training_genes(folder)
        return model.eval()
