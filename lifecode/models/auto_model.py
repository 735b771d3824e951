"""Life-Code under transformers' names: `AutoConfig`, `AutoModel`, padded batches. Needs the `hf` extra.

transformers knows batches padded to one length; Life-Code knows packed rows. The wrapper packs what comes in,
runs the model and pads what goes out, so padding is computed by nobody. Importing transformers takes ten
seconds, which is why nothing else in the library imports this file.
"""

import inspect
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from lifecode.alphabet import PAD, as_sequences
from lifecode.data.batches.packing import pack
from lifecode.errors import UserError
from lifecode.models import pretrained
from lifecode.models.hub import model_folder
from lifecode.models.life_code.model import LifeCode
from lifecode.models.weights import load_all_names, require_depth, require_same_shapes

try:
    from transformers import AutoConfig, AutoModel, PretrainedConfig, PreTrainedModel
    from transformers.modeling_outputs import BaseModelOutput
except ImportError as missing:
    raise UserError(
        f"transformers cannot be imported ({missing})", remedy="Install it: pip install 'lifecode[hf]'"
    ) from missing

_SHAPE = ("family", *inspect.signature(LifeCode).parameters)
# Options of transformers' `save_pretrained` under which the same files are written.
_WITHOUT_EFFECT = ("save_function", "max_shard_size", "safe_serialization", "token", "save_peft_format")
_HUB_OPTIONS = ("revision", "token", "cache_dir", "force_download", "local_files_only")


def register_auto_model() -> None:
    """Lets `AutoConfig` and `AutoModel` load Life-Code models in this process."""
    AutoConfig.register(LifeCode.family, LifeCodeConfig, exist_ok=True)
    AutoModel.register(LifeCodeConfig, LifeCodeModel, exist_ok=True)


class LifeCodeConfig(PretrainedConfig):
    """config.json of a Life-Code model: the arguments of `LifeCode`, and under `codec` those of the codec."""

    model_type = LifeCode.family
    attribute_map = {"hidden_size": "width", "num_hidden_layers": "depth"}  # noqa: RUF012

    def __init__(self, **values: Any) -> None:
        super().__init__(**{"pad_token_id": PAD, **values})

    def shape(self) -> dict[str, Any]:
        """What `LifeCode.from_config` takes."""
        return {key: getattr(self, key) for key in _SHAPE if hasattr(self, key)}


class LifeCodeModel(PreTrainedModel):
    """`LifeCode` behind the interface of a transformers model; the model itself is `.life_code`."""

    config_class = LifeCodeConfig
    base_model_prefix = "life_code"
    main_input_name = "input_ids"
    _tied_weights_keys = {}  # noqa: RUF012
    _no_split_modules = ["Block"]  # noqa: RUF012

    def __init__(self, config: LifeCodeConfig) -> None:
        super().__init__(config)
        self.life_code = LifeCode.from_config(config.shape())
        self.post_init()

    def _init_weights(self, module: torch.nn.Module) -> None:
        """Nothing: `LifeCode` draws its weights when it is built, and loading leaves none undrawn."""

    def forward(
        self,
        input_ids: Tensor,
        attention_mask: Tensor | None = None,
        return_dict: bool | None = None,
        **options: Any,
    ) -> BaseModelOutput | tuple[Tensor, ...]:
        """Hidden states of padded sequences.

        Args:
            input_ids: nucleotide ids (B, 3L) with `[CLS]` and `[SEP]` as they shall be read, three ids per
                codon, padded with `[PAD]` by whole codons on either side.
            attention_mask: (B, 3L), 1 or True where a sequence is; by default where no `[PAD]` is.
            return_dict: False returns a tuple.
            options: none may be set; a Life-Code model has no attention maps to hand out, say.

        Returns:
            `last_hidden_state` (B, L, d), zero at padding.

        Raises:
            UserError: a length that is no multiple of three, a mask that cuts a codon or has a gap, or an
                option that has no effect.
        """
        wrong = sorted(key for key, value in options.items() if value)
        if wrong:
            raise UserError(f"{wrong[0]} has no effect on a Life-Code model", remedy="Leave it out")
        codons = _codon_mask(input_ids, input_ids != PAD if attention_mask is None else attention_mask.bool())
        ids = input_ids.unflatten(1, (-1, 3))[codons].flatten()
        borders = torch.nn.functional.pad(codons.sum(1).cumsum(0), (1, 0)).int()
        states = self.life_code(ids, borders)
        padded = states.new_zeros(*codons.shape, states.shape[-1])
        output = BaseModelOutput(last_hidden_state=padded.masked_scatter(codons[..., None], states))
        return output.to_tuple() if return_dict is False else output

    def get_input_embeddings(self) -> torch.nn.Module:
        """The embedding of nucleotide ids."""
        return self.life_code.codec.tokenizer.embedding

    def set_input_embeddings(self, value: torch.nn.Module) -> None:
        """Puts another embedding of nucleotide ids in its place."""
        self.life_code.codec.tokenizer.embedding = value  # pyright: ignore[reportAttributeAccessIssue]

    def load_state_dict(
        self, state_dict: Mapping[str, Any], strict: bool = True, assign: bool = False
    ) -> Any:
        """Loads weights under this wrapper's names or under those of a saved folder, all of them.

        Args:
            state_dict: weights.
            strict: even if False, as `Trainer` has it when it goes on from a checkpoint, no weight may be
                missing or unexpected; but the weights of adapters may come alone to a model that has some.
            assign: as in torch.

        Raises:
            UserError: a missing, unexpected or reshaped weight.
        """
        prefix = f"{self.base_model_prefix}."
        own = self.state_dict().keys()
        state = {name if name in own else prefix + name: x for name, x in state_dict.items()}
        adapted = getattr(self, "_hf_peft_config_loaded", False)
        return load_all_names(
            super().load_state_dict, self, state, strict=strict, assign=assign, adapted=adapted
        )

    @classmethod
    def from_pretrained(
        cls, pretrained_model_name_or_path: Any, *model_args: Any, config: Any = None, **options: Any
    ) -> Any:
        """What `LifeCode.from_pretrained` does, checksums and strictness included.

        Args:
            pretrained_model_name_or_path: a folder, or `user/name` on the Hugging Face hub.
            model_args: of transformers.
            config: the shape, if not that of the folder's config.json.
            options: of transformers, such as `device_map`; among them `revision` and `token` for the hub.

        Raises:
            UserError: as `LifeCode.from_pretrained`, a `dtype` other than float32, or an unknown option.
        """
        download = {key: options.pop(key) for key in _HUB_OPTIONS if key in options}
        dtype = options.get("dtype", options.get("torch_dtype"))
        if dtype not in (None, "auto", "float32", torch.float32):
            raise UserError(f"the weights stay float32, not {dtype}", remedy="Run it under torch.autocast")
        folder = model_folder(pretrained_model_name_or_path, **download)
        saved = pretrained.read_config(folder, family=LifeCode.family)
        require_depth(folder, saved)
        if not isinstance(config, LifeCodeConfig):
            config = LifeCodeConfig.from_pretrained(folder if config is None else config)
        with torch.device("meta"):
            LifeCode.from_config(saved)  # refuses keys that the config would carry along unread
            require_same_shapes(LifeCode.from_config(config.shape()), folder)
        options = {key: value for key, value in options.items() if key not in ("dtype", "torch_dtype")}
        try:
            model = super().from_pretrained(
                folder, *model_args, config=config, dtype=torch.float32, **options
            )
        except TypeError as error:
            raise UserError(
                f"an option is unknown ({error})", remedy="Give options of transformers, or of LifeCode"
            ) from error
        loaded = model[0] if isinstance(model, tuple) else model  # with output_loading_info
        loaded.life_code.training_genes = pretrained.read_training_genes(folder)
        return model

    def save_pretrained(  # pyright: ignore[reportIncompatibleMethodOverride]
        self,
        save_directory: str | Path,
        is_main_process: bool = True,
        state_dict: Mapping[str, Tensor] | None = None,
        **options: Any,
    ) -> None:
        """Writes the folder that `LifeCode.save_pretrained` writes, which both classes load.

        Args:
            save_directory: the folder.
            is_main_process: False writes nothing.
            state_dict: weights of this wrapper to write instead of its own, such as gathered ones.
            options: of transformers; none may ask for other files than these.

        Raises:
            UserError: as `LifeCode.save_pretrained`, or an option that cannot be followed.
        """
        wrong = sorted(key for key, value in options.items() if value and key not in _WITHOUT_EFFECT)
        if wrong:
            raise UserError(f"{wrong[0]} has no effect on a Life-Code model", remedy="Leave it out")
        if is_main_process:
            prefix, model = f"{self.base_model_prefix}.", self.life_code
            given = model.state_dict() if state_dict is None else state_dict
            state = {name.removeprefix(prefix): x for name, x in given.items()}
            model.require_own_weights(state)
            genes = model.training_genes
            pretrained.save(model, model.config, Path(save_directory), state=state, training_genes=genes)

    def push_to_hub(self, repo_id: str, **options: Any) -> str:  # pyright: ignore[reportIncompatibleVariableOverride]
        """`LifeCode.push_to_hub`."""
        return self.life_code.push_to_hub(repo_id, **options)


def padded_batch(sequences: Any) -> dict[str, Tensor]:
    """`input_ids` and `attention_mask` (B, 3L) of DNA or RNA sequences, as `LifeCode.embed` reads them.

    Raises:
        UserError: a letter that is no nucleotide, or something that is no sequence.
    """
    rows = [pack([sequence]).ids.long() for sequence in as_sequences(sequences)]
    input_ids = torch.nn.utils.rnn.pad_sequence(rows, batch_first=True, padding_value=PAD)
    lengths = torch.tensor([len(row) for row in rows])
    return {
        "input_ids": input_ids,
        "attention_mask": (torch.arange(input_ids.shape[1]) < lengths[:, None]).long(),
    }


def _codon_mask(input_ids: Tensor, mask: Tensor) -> Tensor:
    """Bool (B, L) of the codons that are no padding, from a mask of their nucleotides (B, 3L)."""
    if input_ids.dim() != 2 or input_ids.shape[1] % 3 or mask.shape != input_ids.shape:
        raise UserError(
            f"input_ids {list(input_ids.shape)} and attention_mask {list(mask.shape)} must both be (B, 3L)",
            remedy="Pad by whole codons, three ids each",
        )
    triplets = mask.unflatten(1, (-1, 3))
    codons = triplets.all(-1)
    starts = torch.nn.functional.pad(codons.int(), (1, 0)).diff(dim=1) == 1
    if (triplets.any(-1) != codons).any() or (starts.sum(1) > 1).any():
        raise UserError("attention_mask cuts a codon or has a gap", remedy="Mask only padding at the ends")
    return codons
