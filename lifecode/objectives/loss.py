"""A loss as (total, count), so that packing, accumulation and processes cannot change the objective."""

from typing import NamedTuple

from torch import Tensor
from torch.nn import functional

from lifecode.alphabet import IGNORE
from lifecode.models.layers.norm import at_least_fp32


class Loss(NamedTuple):
    """Sum of a loss over its valid positions, and how many there are; the loss is their quotient.

    Attributes:
        total: nats, scalar fp32 or better with gradient.
        count: positions, scalar fp32 without gradient.
    """

    total: Tensor
    count: Tensor  # pyright: ignore[reportIncompatibleMethodOverride]

    def __add__(self, other: "Loss") -> "Loss":  # pyright: ignore[reportIncompatibleMethodOverride]
        """The loss over both sets of positions."""
        return Loss(self.total + other.total, self.count + other.count)

    @property
    def mean(self) -> Tensor:
        """Nats a position; 0 where there is none."""
        return self.total / self.count.clamp(min=1)


def cross_entropy(logits: Tensor, labels: Tensor) -> Loss:
    """Cross-entropy of logits (n, classes) against labels (n,); positions labelled `IGNORE` do not count."""
    total = functional.cross_entropy(at_least_fp32(logits), labels, ignore_index=IGNORE, reduction="sum")
    return Loss(total, (labels != IGNORE).sum().float())
