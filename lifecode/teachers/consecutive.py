"""Proteins that go through a teacher together: consecutive ones, by their residues."""

from collections.abc import Iterator, Sequence


def consecutive(lengths: Sequence[int], max_residues: int) -> Iterator[slice]:
    """Consecutive runs of proteins with at most `max_residues` residues, or one longer protein."""
    start, filled = 0, 0
    for index, length in enumerate(lengths):
        if index > start and filled + length > max_residues:
            yield slice(start, index)
            start, filled = index, 0
        filled += length
    if start < len(lengths):
        yield slice(start, len(lengths))
