"""An encoder and a head as one network: which of its weights learn is decided when it is made."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from lifecode.alphabet import IGNORE
from lifecode.models.life_code.evaluation_mode import undisturbed
from lifecode.models.saved import SavedModel
from lifecode.tasks.examples.labels import LabelKind
from lifecode.tasks.families.family_reading import FamilyReading
from lifecode.tasks.families.place import Place
from lifecode.tasks.families.position_index import num_positions
from lifecode.tasks.tuning.rows import Row, Segmented, rows_of
from lifecode.tasks.tuning.settings import GradientTuning
from lifecode.tasks.tuning.task_heads.task_head import StandardisedHead


class TaskNetwork(nn.Module):
    """Packed rows to what a task asks of their examples.

    Args:
        model: the encoder, whose weights are frozen here as `tuning` says: all of `head`, none of what is
            read of `full`, and of `lora` all but the adapters that it has already.
        head: on its states.
        family: how the model is read.
        tuning: what learns beside the head.
        kind: of the labels.
        place: where the states are read.
        width: D of the states.
        mixed: read a learned weighted mean over layers instead, equal at first.
        class_weights: (num_classes,) of the loss; None weighs all alike.
    """

    value_mean: Tensor
    value_deviation: Tensor

    def __init__(
        self,
        model: Any,
        head: StandardisedHead,
        *,
        family: FamilyReading,
        tuning: GradientTuning,
        kind: LabelKind,
        place: Place,
        width: int,
        mixed: bool,
        class_weights: Tensor | None = None,
    ) -> None:
        super().__init__()
        self.model, self.head, self.family = model, head, family
        self.kind: LabelKind = kind
        self.place, self.width = place, width
        self.tuning: GradientTuning = tuning
        self.layer_logits = nn.Parameter(torch.zeros(len(model.encoder.layers) + 1)) if mixed else None
        # float64: labels such as years in seconds differ in digits that float32 has not
        self.register_buffer("value_mean", torch.zeros((), dtype=torch.float64))
        self.register_buffer("value_deviation", torch.ones((), dtype=torch.float64))
        self.register_buffer("class_weights", class_weights, persistent=False)
        _freeze(model, tuning, family.weights_read)

    def forward(self, row: Row) -> Tensor:
        """Outputs (n, num_outputs): logits, or a value in deviations from the mean of the training labels."""
        return self.head(self.states(row), row)

    def states(self, row: Row) -> Tensor:
        """(L, D) at the place, or mixed over layers; those of the row where it has them."""
        if row.states is not None:
            return row.states
        weights = None if self.layer_logits is None else self.layer_logits.softmax(0)
        return self.family.states(self.model, row.packed, self.place, weights)

    def loss(self, outputs: Tensor, labels: Tensor) -> Tensor:
        """Sum over the labels that are known: of cross-entropy, or of the squared error in deviations.

        Of `multilabel` every pair of an example and a class is a label.
        """
        if self.kind == "regression":
            known = ~labels.isnan()
            wanted = ((labels - self.value_mean) / self.value_deviation)[known].to(outputs.dtype)
            return (outputs[:, 0][known] - wanted).square().sum()
        if self.kind == "multilabel":
            return functional.binary_cross_entropy_with_logits(
                outputs, labels.to(outputs.dtype), reduction="sum"
            )
        weight = self.class_weights if isinstance(self.class_weights, Tensor) else None
        return functional.cross_entropy(
            outputs, labels.long(), weight=weight, ignore_index=IGNORE, reduction="sum"
        )

    def num_known(self, labels: Tensor) -> int:
        """How many labels are known; of `multilabel` each class is one."""
        return int((~labels.isnan() if self.kind == "regression" else labels != IGNORE).sum())

    def known(self, labels: NDArray, predictions: NDArray) -> tuple[NDArray, NDArray]:
        """Labels that are known, and the predictions of them."""
        if labels.ndim == 2:
            return labels, predictions
        rows = ~np.isnan(labels) if self.kind == "regression" else labels != IGNORE
        return labels[rows], predictions[rows]

    def predictions(self, outputs: Tensor) -> NDArray[np.float64]:
        """Values (n,), or probabilities (n, num_classes)."""
        outputs = outputs.detach().double()
        if self.kind == "regression":
            return (outputs[:, 0] * self.value_deviation + self.value_mean).cpu().numpy()
        if self.kind == "multilabel":
            return outputs.sigmoid().cpu().numpy()
        return outputs.softmax(-1).cpu().numpy()

    def learned(self) -> dict[str, Tensor]:
        """All that learning changes, by name: trainable parameters, and what the head took from the rows."""
        state = self.state_dict()
        parameters = dict(self.named_parameters())
        return {
            name: value
            for name, value in state.items()
            if not name.startswith("model.") or (name in parameters and parameters[name].requires_grad)
        }

    def load_learned(self, state: Mapping[str, Tensor]) -> None:
        """Takes up what `learned` gave; no name may be missing or too many."""
        own = self.learned()
        if set(own) != set(state):
            raise ValueError(f"holds {sorted(set(own) ^ set(state))[:3]} in one of both alone")
        with torch.no_grad():
            for name, value in own.items():
                value.copy_(state[name])


def _freeze(model: SavedModel, tuning: GradientTuning, read: tuple[str, ...]) -> None:
    """Leaves a gradient to what learns: of `full` the weights that begin with `read`, of `lora` adapters."""
    for name, parameter in model.named_parameters():
        parameter.requires_grad_(
            name.startswith(read) if tuning == "full" else tuning == "lora" and "lora_" in name
        )


@undisturbed
def predicted(network: TaskNetwork, framing: Segmented, sequences: Sequence[Any]) -> NDArray[Any]:
    """Values (n,), or probabilities (n, num_classes), in the order of the sequences.

    Where positions have labels, an array of such for each sequence, in an array (n,) of dtype object.
    """
    found = np.empty(len(sequences), dtype=object)
    device = network.head.mean.device
    for row in rows_of(sequences, np.arange(len(sequences)), framing):
        told, examples = network.predictions(network(row.to(device))), row.examples.tolist()
        if framing.unit != "sequence":
            sizes = [num_positions(len(sequences[number]), framing.unit) for number in examples]
            told = np.split(told, np.cumsum(sizes)[:-1])
        for number, of_example in zip(examples, told, strict=True):
            found[number] = of_example
    return found if framing.unit != "sequence" else np.stack(found.tolist())
