"""What a longer input would cost, by the law that the shorter ones followed."""

import math
from collections.abc import Sequence
from typing import NamedTuple


class PowerLaw(NamedTuple):
    """cost(length) = cost * (length / at) ** exponent.

    Attributes:
        at: length of the last point.
        cost: there.
        exponent: of the length.
    """

    at: int
    cost: float
    exponent: float

    def predict(self, length: int) -> float:
        """The cost at a length."""
        return self.cost * (length / self.at) ** self.exponent


def fit_power_law(points: Sequence[tuple[int, float]]) -> PowerLaw:
    """The power law through the last two of (length, cost a unit) points, lengths ascending.

    The cost is that of one position or nucleotide: a kernel of linear time has the exponent 0 and one of
    quadratic time the exponent 1. A fall with the length is taken as none (exponent 0), since overheads that
    melt away do so only once; and one point alone tells no law, so it too is carried on unchanged, which is
    the least that a longer input can cost.
    """
    at, cost = points[-1]
    if len(points) < 2:
        return PowerLaw(at, cost, 0.0)
    earlier, before = points[-2]
    if before <= 0 or cost <= 0:
        return PowerLaw(at, max(cost, 0.0), 0.0)
    return PowerLaw(at, cost, max(0.0, math.log(cost / before) / math.log(at / earlier)))
