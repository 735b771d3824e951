"""Values on nucleotides as runs that overlap nowhere, in the form that bedGraph and bigWig ask for."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray


class Runs(NamedTuple):
    """Stretches of a contig with a value each, ascending and disjoint.

    Attributes:
        starts: (n,) first nucleotide, from 0; int32.
        ends: (n,) behind the last one; int32.
        values: (n,) float32.
    """

    starts: NDArray[np.int32]
    ends: NDArray[np.int32]
    values: NDArray[np.float32]


def runs_of(places: NDArray[np.integer], values: NDArray[np.floating]) -> Runs:
    """The runs of values (n,) at places (n,) of a contig, in any order.

    A place that comes several times has the mean of its values; NaN is no value. Neighbours of the same value
    are one run.
    """
    known = ~np.isnan(values)
    places, values = places[known], values[known].astype(np.float64)
    if not len(places):
        return Runs(np.empty(0, np.int32), np.empty(0, np.int32), np.empty(0, np.float32))
    order = np.argsort(places, kind="stable")
    places, values = places[order], values[order]
    first = np.flatnonzero(np.diff(places, prepend=-1))
    counts = np.diff(first, append=len(places))
    means = (np.add.reduceat(values, first) / counts).astype(np.float32)
    places = places[first]
    begins = np.flatnonzero(np.concatenate([[True], (np.diff(places) != 1) | (means[1:] != means[:-1])]))
    lasts = np.append(begins[1:], len(places)) - 1
    return Runs(places[begins].astype(np.int32), places[lasts].astype(np.int32) + 1, means[begins])


def clipped(runs: Runs, start: int, end: int) -> Runs:
    """What of the runs lies in `[start, end)`."""
    inside = (runs.ends > start) & (runs.starts < end)
    return Runs(runs.starts[inside].clip(min=start), runs.ends[inside].clip(max=end), runs.values[inside])
