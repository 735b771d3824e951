"""A mean with the number of positions it is over."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from torch import Tensor


class Mean(NamedTuple):
    """`value`, over `n` positions."""

    value: float
    n: int


class Tally:
    """Collects values, position by position, for their mean."""

    def __init__(self) -> None:
        self.total, self.n = 0.0, 0

    def add(self, values: Tensor | NDArray) -> None:
        """Adds every value of an array."""
        flat = np.asarray(values, dtype=np.float64).reshape(-1)
        self.total += float(flat.sum())
        self.n += len(flat)

    def mean(self) -> Mean:
        """The mean so far; nan over no position."""
        return Mean(self.total / self.n if self.n else float("nan"), self.n)
