"""Features of mean 0 and standard deviation 1 over the examples that a head is fitted on."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from lifecode.tasks.heads.head import Blocks

_LEAST_DEVIATION = 1e-7
"""Beside the largest value; below it a feature is the same everywhere, and is left out."""


def standardised_labels(y: NDArray[np.float64]) -> tuple[NDArray[np.float64], float, float]:
    """Labels of mean 0 and deviation 1, for learners that have thresholds in their unit; and these two.

    A deviation of 0 is taken for 1.
    """
    mean, deviation = float(y.mean()), float(y.std()) or 1.0
    return (y - mean) / deviation, mean, deviation


class Standardised(NamedTuple):
    """How blocks of features become one standardised table.

    Attributes:
        kept: (num_features,) which of the features vary.
        mean: (num_kept,) of each.
        deviation: (num_kept,) of each.
    """

    kept: NDArray[np.bool_]
    mean: NDArray[np.float64]
    deviation: NDArray[np.float64]

    @classmethod
    def of(cls, blocks: Blocks) -> "Standardised":
        """By the examples of some blocks."""
        table = np.concatenate(blocks, axis=1, dtype=np.float64)
        mean, deviation = table.mean(0), table.std(0)
        kept = deviation > _LEAST_DEVIATION * np.maximum(1e-12, np.abs(table).max(0, initial=0))
        return cls(kept, mean[kept], deviation[kept])

    def __call__(self, blocks: Blocks) -> NDArray[np.float64]:
        """(n, num_kept) of blocks of the same widths."""
        table = np.concatenate(blocks, axis=1, dtype=np.float64)
        return (table[:, self.kept] - self.mean) / self.deviation
