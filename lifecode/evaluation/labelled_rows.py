"""LucaOne's tasks on rows it never saw, beside constant predictors that know the training rows' frequencies.

Every row is read once. Of the masks each selected letter is `[MASK]`, so that nobody can copy what is asked.
A figure is the mean over a sequence's positions, then over the sequences, as in training. The constant
predictor is the best one by that measure: frequencies averaged the same way, of one imagined sequence more in
which all classes are alike (each keyword there by half); of coordinates it is the median of each axis.
"""

from collections.abc import Callable, Iterator, Mapping
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from lifecode.alphabet import IGNORE
from lifecode.datasets.luca_one.batch import LabelledBatch
from lifecode.datasets.luca_one.label_names import LabelNames
from lifecode.datasets.luca_one.masking import LETTERS, LetterMasking
from lifecode.datasets.luca_one.rows import COORDINATES, SEVERAL_LABELS
from lifecode.datasets.luca_one.stream import RowStream
from lifecode.datasets.luca_one.table import RowTable
from lifecode.datasets.luca_one.tasks import MASK_TASKS
from lifecode.evaluation.metrics import Metric
from lifecode.evaluation.tally import Mean
from lifecode.models.luca_one.heads import LEVELS
from lifecode.models.luca_one.vocabulary import IS_CERTAIN, NUM_TOKENS
from lifecode.objectives.labelled_letters import mean_of_sequences, task_losses
from lifecode.objectives.loss import Loss

_ROWS_AT_ONCE = 1 << 14
_LEAST = -30.0
"""Logarithm of the share of what never was and cannot be."""
Outputs = Callable[[LabelledBatch], Mapping[str, Tensor]]
ACCURACY, CONSTANT, MAJORITY = "_accuracy", "_constant", "_majority"
"""What the names of figures end with, behind that of their task: the loss is called after the task alone."""


_WHAT = {
    **dict.fromkeys(MASK_TASKS, "the letter that is masked"),
    **dict.fromkeys((task for task, level in LEVELS.items() if level == "span"), "each letter of a span"),
    **dict.fromkeys((task for task, level in LEVELS.items() if level == "sequence"), "each sequence"),
    SEVERAL_LABELS: "each keyword of a protein, there or not",
    COORDINATES: "mean difference of coordinates, scaled to 0 … 1",
}


def row_metrics() -> Iterator[Metric]:
    """The loss of each task, and where there are classes its accuracy, beside what they have to beat."""
    for task in (*MASK_TASKS, *LEVELS):
        label = task.replace("prot_", "protein_").replace("_", " ").capitalize()
        unit = "number" if task == COORDINATES else "nats"
        constant = Metric(
            task + CONSTANT, "letter unigram" if task in MASK_TASKS else "best constant", unit, False
        )
        yield Metric(task, label, unit, False, _WHAT[task], (constant,))
        if task not in (COORDINATES, SEVERAL_LABELS):
            majority = Metric(task + MAJORITY, "most frequent class", "share", True)
            yield Metric(task + ACCURACY, f"{label}, accuracy", "share", True, "", (majority,))


class RowEvaluation(NamedTuple):
    """Figures over sequences.

    Attributes:
        heldout: of the model: the loss of each task, and its accuracy where there are classes.
        baselines: the loss of the constant predictor, and the accuracy of the most frequent class.
    """

    heldout: dict[str, Mean]
    baselines: dict[str, Mean]


def constant_outputs(table: RowTable, names: LabelNames, classes: Mapping[str, int]) -> dict[str, Tensor]:
    """What the best constant predictor says of any position, by task (classes,): logits or coordinates.

    Tasks that no training row has a label of are left out.

    Args:
        table: of the training rows.
        names: of the labels.
        classes: of each head.
    """
    constant: dict[str, Tensor] = {}
    for task, number in MASK_TASKS.items():
        constant[task] = _log_shares(*_letter_shares(table, number), LETTERS[number].astype(np.int64))
    for task in (task for task in table.tasks if task in classes):
        num_named = len(names.of_task.get(task, ()))
        if task == COORDINATES:
            known = table.arrays[COORDINATES]
            constant[task] = torch.from_numpy(np.nanmedian(known, axis=0).astype(np.float32))
        elif task == SEVERAL_LABELS:
            counts = np.bincount(table.arrays[task], minlength=classes[task]).astype(np.float64)
            counts[:num_named] += 0.5
            share = torch.from_numpy(counts / (table.num_labelled(task) + 1))
            constant[task] = share.logit().clamp(min=_LEAST).float()
        else:
            of_level = _span_shares if LEVELS[task] == "span" else _label_shares
            shares = of_level(table, task, classes[task])
            constant[task] = _log_shares(*shares, np.arange(num_named))
    return constant


Shares = tuple[NDArray[np.float64], int]
"""Sum over sequences of the share of each class, and how many sequences have any."""


def _letter_shares(table: RowTable, molecule: int) -> Shares:
    """Of the letters that masking may select, in sequences of one molecule."""
    total, num_rows = np.zeros(NUM_TOKENS), 0
    for first in range(0, len(table), _ROWS_AT_ONCE):
        last = min(first + _ROWS_AT_ONCE, len(table))
        begin, end = table.offsets[first], table.offsets[last]
        row = np.repeat(np.arange(last - first), np.diff(table.offsets[first : last + 1]))
        letters = table.arrays["letters"][begin:end]
        own = IS_CERTAIN[letters] & (table.molecules[first:last] == molecule)[row]
        pair = row[own] * NUM_TOKENS + letters[own]
        counts = np.bincount(pair, minlength=(last - first) * NUM_TOKENS).reshape(-1, NUM_TOKENS)
        sums = counts.sum(axis=1, keepdims=True)
        total += (counts / np.maximum(sums, 1)).sum(axis=0)
        num_rows += int((sums > 0).sum())
    return total, num_rows


def _span_shares(table: RowTable, task: str, num_classes: int) -> Shares:
    total, num_rows = np.zeros(num_classes), 0
    for row in np.flatnonzero(np.diff(table.arrays[f"{task}.borders"])).tolist():
        labels = table.label_of_letters(task, row)
        counts = np.bincount(labels[labels != IGNORE], minlength=num_classes)
        total += counts / counts.sum()
        num_rows += 1
    return total, num_rows


def _label_shares(table: RowTable, task: str, num_classes: int) -> Shares:
    labels = table.arrays[task]
    known = labels[labels != IGNORE]
    return np.bincount(known, minlength=num_classes).astype(np.float64), len(known)


def _log_shares(total: NDArray[np.float64], num_rows: int, possible: NDArray[np.int64]) -> Tensor:
    """Log of the shares with one imagined sequence more, in which the possible classes are alike."""
    imagined = np.zeros(len(total))
    imagined[possible] = 1 / len(possible)
    return torch.from_numpy((total + imagined) / (num_rows + 1)).log().clamp(min=_LEAST).float()


@torch.no_grad()
def evaluate_rows(
    outputs: Outputs, constant: Mapping[str, Tensor], held_out: RowStream, most: int | None = None
) -> RowEvaluation:
    """Loss and accuracy of a model and of the constant predictor on rows of a stream, each once.

    Args:
        outputs: the model: logits and coordinates where a batch has labels.
        constant: as `constant_outputs` gives them.
        held_out: of the held-out rows; its masking says how many letters are asked for.
        most: of the rows, drawn by the stream's seed; None is all of them.
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
    for batch in stream.rows_once(most):
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
