"""The losses of LucaOne's tasks: by hand, and packed as padded."""

import math

import pytest
import torch

from lifecode.datasets.luca_one.batch import Labels
from lifecode.objectives.labelled_letters import mean_of_sequences, num_labelled_sequences, task_loss


def labels(segment: list[int], values: torch.Tensor) -> Labels:
    return Labels(torch.arange(len(segment)), torch.tensor(segment), values)


def test_a_long_sequence_counts_as_much_as_a_short_one():
    each, segment = torch.tensor([1.0, 2.0, 3.0, 10.0]), torch.tensor([0, 0, 0, 2])
    loss = mean_of_sequences(each, segment, 4)  # means 2 and 10 of two sequences; two others have nothing
    assert (float(loss.total), float(loss.count), float(loss.mean)) == (12.0, 2.0, 6.0)
    assert int(num_labelled_sequences(labels([0, 0, 0, 2], each))) == 2


def test_cross_entropy_by_hand():
    logits = torch.tensor([[0.0, math.log(3.0)], [0.0, 0.0], [math.log(9.0), 0.0]])
    loss = task_loss("gene_type", logits, labels([0, 0, 1], torch.tensor([1, 0, 0])), 2)
    first = (math.log(4 / 3) + math.log(2)) / 2
    assert float(loss.total) == pytest.approx(first + math.log(10 / 9))
    assert float(loss.count) == 2


def test_keywords_are_a_full_vector_of_noughts_and_ones():
    logits = torch.tensor([[math.log(3.0), 0.0, -math.log(3.0)]])
    loss = task_loss("prot_keyword", logits, labels([1], torch.tensor([[1.0, 0.0, 0.0]])), 2)
    assert float(loss.total) == pytest.approx((math.log(4 / 3) + math.log(2) + math.log(4 / 3)) / 3)
    assert float(loss.count) == 1


def test_coordinates_by_hand():
    found = torch.tensor([[0.0, 0.5, 1.0], [1.0, 1.0, 1.0]])
    wanted = torch.tensor([[0.3, 0.5, 0.4], [1.0, 1.0, 0.7]])
    loss = task_loss("prot_structure", found, labels([0, 0], wanted), 1)
    assert float(loss.mean) == pytest.approx((0.3 + 0 + 0.6 + 0 + 0 + 0.3) / 6)


@pytest.mark.parametrize("task", ["gene_mask", "prot_site", "prot_keyword", "prot_structure"])
def test_without_labels_the_loss_is_nothing_and_its_gradient_zeros(task: str):
    weight = torch.ones(2, 3, requires_grad=True)
    values = (
        torch.empty(0, 3) if task in ("prot_keyword", "prot_structure") else torch.empty(0, dtype=torch.int64)
    )
    loss = task_loss(
        task,
        torch.empty(0, 2) @ weight,
        labels([], values)._replace(segment=torch.empty(0, dtype=torch.int64)),
        2,
    )
    loss.total.backward()
    assert (float(loss.total.detach()), float(loss.count), float(loss.mean.detach())) == (0.0, 0.0, 0.0)
    assert weight.grad is not None
    assert not weight.grad.any()
