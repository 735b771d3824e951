"""A network around a model with a new head, and the weights of the classes in its loss."""

from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from lifecode.alphabet import IGNORE
from lifecode.errors import UserError
from lifecode.models.saved import SavedModel
from lifecode.tasks.examples.examples import flat
from lifecode.tasks.examples.labels import Labels
from lifecode.tasks.examples.molecule import encoded
from lifecode.tasks.families.place import Place
from lifecode.tasks.pairs.pair_head import PairHead
from lifecode.tasks.tuning.network import TaskNetwork
from lifecode.tasks.tuning.pair_framing import PairFraming
from lifecode.tasks.tuning.rows import Framing
from lifecode.tasks.tuning.settings import Fit, GradientTuning, TrainedHead
from lifecode.tasks.tuning.task_heads.pair_task_head import PairTaskHead
from lifecode.tasks.tuning.task_heads.task_head import TaskHead


def network_of(
    model: SavedModel,
    tuning: GradientTuning,
    head: TrainedHead,
    framing: Framing | PairFraming,
    labels: Labels,
    pair: PairHead | None = None,
    class_weights: Tensor | None = None,
) -> TaskNetwork:
    """A network around a model, its head new."""
    place = Place(None if head.layer == "mix" else head.layer, head.projected)
    with torch.no_grad():
        molecule = framing.first.molecule if isinstance(framing, PairFraming) else framing.molecule
        anything = framing.family.segments(encoded("ATG", molecule), 0)
        width = framing.family.states(model, framing.family.pack(anything), place).shape[-1]
    outputs = max(1, len(labels.classes))
    if isinstance(framing, PairFraming):
        joins = (pair or PairHead()).joins
        of_states = PairTaskHead(width, outputs, head, framing=framing, joins=joins)
    else:
        of_states = TaskHead(
            width,
            outputs,
            head,
            frames=framing.frames,
            window=head.window if framing.unit == "sequence" else framing.window,
            unit=framing.unit,
            blocks=framing.family.num_blocks(framing.unit, framing.frames),
        )
    return TaskNetwork(
        model,
        of_states,
        family=framing.family,
        tuning=tuning,
        kind=labels.kind,
        place=place,
        mixed=head.layer == "mix",
        width=width,
        class_weights=class_weights,
    )


def class_weights(fit: Fit, labels: Labels, numbers: NDArray[Any]) -> Tensor | None:
    """The weight of each class in the loss, or None.

    Raises:
        UserError: weights of a regression, or of other classes than there are.
    """
    if fit.class_weights is None:
        return None
    if labels.kind in ("regression", "multilabel"):
        what = "a regression" if labels.kind == "regression" else "multilabel"
        raise UserError(f"is given, and the labels are {what}", source="fit.class_weights")
    if fit.class_weights == "balanced":
        numbers = flat(numbers)
        counts = np.bincount(numbers[numbers != IGNORE], minlength=len(labels.classes))
        counts = np.maximum(1, counts)  # a class may have all of its examples on the validation rows
        return torch.tensor(counts.sum() / (len(counts) * counts), dtype=torch.float32)
    if set(fit.class_weights) != set(labels.classes):
        lacking = [name for name in labels.classes if name not in fit.class_weights]
        what = f"has no weight of {lacking[0]!r}" if lacking else "names other classes than the labels have"
        raise UserError(
            what,
            source="fit.class_weights",
            remedy=f"Give one of each of {', '.join(labels.classes[:10])}, or balanced",
        )
    return torch.tensor([fit.class_weights[name] for name in labels.classes], dtype=torch.float32)
