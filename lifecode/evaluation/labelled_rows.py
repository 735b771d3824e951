"""LucaOne's tasks on rows it never saw, beside constant predictors that know the training rows' frequencies.

Every row is read once. Of the masks each selected letter is `[MASK]`, so that nobody can copy what is asked.
A figure is the mean over a sequence's positions, then over the sequences, as in training. The constant
predictor is the best one by that measure: frequencies averaged the same way, of one imagined sequence more in
which all classes are alike; of coordinates it is the median of each axis.
"""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from lifecode.datasets.luca_one.batch import LabelledBatch, Labels
from lifecode.datasets.luca_one.masking import LETTERS, LetterMasking
from lifecode.datasets.luca_one.rows import COORDINATES, SEVERAL_LABELS
from lifecode.datasets.luca_one.stream import RowStream
from lifecode.datasets.luca_one.tasks import MASK_TASKS, LabelNames
from lifecode.evaluation.tally import Mean
from lifecode.models.luca_one.vocabulary import NUM_TOKENS
from lifecode.objectives.labelled_letters import mean_of_sequences, task_losses
from lifecode.objectives.loss import Loss

Outputs = Callable[[LabelledBatch], Mapping[str, Tensor]]
ACCURACY, CONSTANT, MAJORITY = "_accuracy", "_constant", "_majority"
"""What the names of figures end with, behind that of their task: the loss is called after the task alone."""


class RowEvaluation(NamedTuple):
    """Figures over sequences.

    Attributes:
        heldout: of the model: the loss of each task, and its accuracy where there are classes.
        baselines: the loss of the constant predictor, and the accuracy of the most frequent class.
    """

    heldout: dict[str, Mean]
    baselines: dict[str, Mean]


def constant_outputs(training: RowStream, names: LabelNames, classes: Mapping[str, int]) -> dict[str, Tensor]:
    """What the best constant predictor says of any position, by task (classes,): logits or coordinates.

    Tasks that no training row has a label of are left out.

    Args:
        training: of the training rows, any masking.
        names: of the labels.
        classes: of each head.
    """
    every_letter = replace(training.masking, fraction=1.0)
    stream = RowStream(
        training.table,
        shape=training.shape,  # pyright: ignore[reportArgumentType]
        masking=every_letter,
        num_keywords=training.num_keywords,
        seed=training.seed,
    )
    sums: dict[str, Loss] = {}
    atoms: list[Tensor] = []
    known = training.table.tasks
    width = {**dict.fromkeys(MASK_TASKS, NUM_TOKENS), **{t: n for t, n in classes.items() if t in known}}
    for batch in stream.rows_once():
        for task in width:
            labels = batch.labels[task]
            if task == COORDINATES:
                atoms.append(labels.values)
            else:
                seen = _frequencies(labels, width[task], batch.num_segments)
                sums[task] = sums[task] + seen if task in sums else seen
    constant = {task: _constant(task, seen, names) for task, seen in sums.items()}
    if COORDINATES in width:
        constant[COORDINATES] = torch.cat(atoms).median(0).values
    return constant


def _frequencies(labels: Labels, num_classes: int, num_segments: int) -> Loss:
    """Sum over sequences of the share of each class (classes,), and the number of sequences."""
    if labels.values.dim() == 2:
        return Loss(labels.values.sum(0).double(), labels.values.new_tensor(len(labels.values)))
    pair = labels.segment * num_classes + labels.values
    counts = torch.bincount(pair, minlength=num_segments * num_classes).double()
    counts = counts.reshape(num_segments, num_classes)
    sums = counts.sum(1, keepdim=True)
    return Loss((counts / sums.clamp(min=1)).sum(0), (sums > 0).sum().float())


def _constant(task: str, seen: Loss, names: LabelNames) -> Tensor:
    possible = torch.zeros(len(seen.total), dtype=torch.bool)
    if task in MASK_TASKS:
        possible[torch.from_numpy(LETTERS[MASK_TASKS[task]].astype(np.int64))] = True
    else:
        possible[: len(names.of_task.get(task, ())) or len(possible)] = True
    if task == SEVERAL_LABELS:
        share = (seen.total + 0.5) / (seen.count + 1)
        return share.logit().float()
    share = (seen.total + possible / possible.sum()) / (seen.count + 1)
    return share.log().clamp(min=-30).float()


@torch.no_grad()
def evaluate_rows(outputs: Outputs, constant: Mapping[str, Tensor], held_out: RowStream) -> RowEvaluation:
    """Loss and accuracy of a model and of the constant predictor on every row of a stream once.

    Args:
        outputs: the model: logits and coordinates where a batch has labels.
        constant: as `constant_outputs` gives them.
        held_out: of the held-out rows; its masking says how many letters are asked for.
    """
    masking = LetterMasking(fraction=held_out.masking.fraction, masked=1.0, random=0.0)
    stream = RowStream(
        held_out.table,
        shape=held_out.shape,  # pyright: ignore[reportArgumentType]
        masking=masking,
        num_keywords=held_out.num_keywords,
        seed=held_out.seed,
    )
    own: dict[str, Loss] = {}
    other: dict[str, Loss] = {}
    for batch in stream.rows_once():
        said = {task: values.cpu() for task, values in outputs(batch).items()}
        always = {
            task: constant[task].expand(len(batch.labels[task].at), -1) for task in said if task in constant
        }
        _add(own, {**task_losses(said, batch), **_accuracies(said, batch, ACCURACY)})
        of_constant = {task + CONSTANT: loss for task, loss in task_losses(always, batch).items()}
        _add(other, {**of_constant, **_accuracies(always, batch, MAJORITY)})
    return RowEvaluation(_means(own), _means(other))


def _accuracies(outputs: Mapping[str, Tensor], batch: LabelledBatch, suffix: str) -> dict[str, Loss]:
    found = {}
    for task, values in outputs.items():
        labels = batch.labels[task]
        if task not in (COORDINATES, SEVERAL_LABELS):
            right = (values.argmax(1) == labels.values).float()
            found[task + suffix] = mean_of_sequences(right, labels.segment, batch.num_segments)
    return found


def _add(sums: dict[str, Loss], found: Mapping[str, Loss]) -> None:
    for name, loss in found.items():
        loss = Loss(loss.total.double(), loss.count.double())
        sums[name] = sums[name] + loss if name in sums else loss


def _means(sums: Mapping[str, Loss]) -> dict[str, Mean]:
    return {name: Mean(float(x.mean), int(x.count)) for name, x in sums.items() if x.count > 0}
