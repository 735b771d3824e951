"""Overlapping windows over a protein that is longer than its teacher reads at once.

Windows are all full and evenly spaced. Where two overlap, the first half of the overlap comes from the left
one and the second half from the right one, so each residue is taken from the window in which it has the most
context: at least half the overlap on either side, or the end of the protein.
"""

from itertools import pairwise
from typing import NamedTuple


class Window(NamedTuple):
    """A stretch of a protein, in residues; stops are exclusive.

    Attributes:
        start: first residue that the teacher reads.
        stop: behind the last one.
        first: first residue whose features are kept.
        last: behind the last one.
    """

    start: int
    stop: int
    first: int
    last: int


def windows(num_residues: int, window: int, overlap: int) -> list[Window]:
    """The windows over a protein, whose kept parts follow each other from 0 to `num_residues`.

    Args:
        num_residues: of the protein.
        window: most residues of a window.
        overlap: fewest residues that two neighbours share, below `window`.
    """
    assert 0 <= overlap < window
    if num_residues <= window:
        return [Window(0, num_residues, 0, num_residues)] if num_residues else []
    gaps = -(-(num_residues - window) // (window - overlap))
    starts = [index * (num_residues - window) // gaps for index in range(gaps + 1)]
    borders = [(right + left + window) // 2 for left, right in pairwise(starts)]
    kept = zip([0, *borders], [*borders, num_residues], strict=True)
    return [Window(start, start + window, *part) for start, part in zip(starts, kept, strict=True)]
