"""The losses of LucaOne's ten tasks, each the mean over a sequence's positions, then over the sequences.

A loss is a total over sequences and their count, so neither packing nor accumulation nor the number of
processes changes it. Where a batch has no label of a task, its loss is 0 over 0 sequences and its gradients
are zeros, so that every process of a run has a gradient of every parameter.
"""

from collections.abc import Mapping

import torch
from torch import Tensor
from torch.nn import functional

from lifecode.datasets.luca_one.batch import LabelledBatch, Labels
from lifecode.datasets.luca_one.rows import COORDINATES, SEVERAL_LABELS
from lifecode.models.layers.norm import at_least_fp32
from lifecode.objectives.loss import Loss


def task_loss(task: str, outputs: Tensor, labels: Labels, num_segments: int) -> Loss:
    """The loss of one task.

    Args:
        task: of `lifecode.datasets.luca_one.tasks.TASKS`.
        outputs: logits or coordinates (n, classes) where `labels` are.
        labels: what is known; n of them.
        num_segments: S, sequences of the row.

    Returns:
        Cross-entropy in nats; of keywords the binary cross-entropy, mean over all classes; of coordinates the
        absolute difference, mean over the three axes. Its count is that of sequences with any label.
    """
    values = at_least_fp32(outputs)
    if task == COORDINATES:
        each = (values - labels.values).abs().mean(dim=1)
    elif task == SEVERAL_LABELS:
        wanted = labels.values.to(values.dtype)
        each = functional.binary_cross_entropy_with_logits(values, wanted, reduction="none").mean(dim=1)
    else:
        each = functional.cross_entropy(values, labels.values, reduction="none")
    return mean_of_sequences(each, labels.segment, num_segments)


def mean_of_sequences(each: Tensor, segment: Tensor, num_segments: int) -> Loss:
    """Values (n,) of positions as the sum over sequences of their mean, and how many sequences have any.

    Args:
        each: of positions.
        segment: the sequence of each position (n,).
        num_segments: S.
    """
    counts = torch.zeros(num_segments, dtype=each.dtype, device=each.device)
    counts = counts.index_add(0, segment, torch.ones_like(each))
    sums = torch.zeros_like(counts).index_add(0, segment, each)
    return Loss((sums / counts.clamp(min=1)).sum(), (counts > 0).sum().float())


def num_labelled_sequences(labels: Labels) -> Tensor:
    """How many sequences the loss counts, scalar int64."""
    return labels.segment.new_tensor(len(labels.segment.unique()))


def task_losses(outputs: Mapping[str, Tensor], batch: LabelledBatch) -> dict[str, Loss]:
    """The loss of each task that has outputs, which stand in the order of its labels."""
    return {
        task: task_loss(task, values, batch.labels[task], batch.num_segments)
        for task, values in outputs.items()
    }
