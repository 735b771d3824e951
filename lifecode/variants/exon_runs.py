"""How the exons of a CDS lie on a contig: which follow each other, and across the origin of a circle."""

from collections.abc import Sequence
from itertools import pairwise

from lifecode.data.records import CodingSequence


def running(lengths: list[int]) -> list[int]:
    """Where each of pieces laid end to end begins."""
    total, places = 0, []
    for length in lengths:
        places.append(total)
        total += length
    return places


def runs_of(exons: Sequence[tuple[int, int]], strands: Sequence[int]) -> list[list[int]]:
    """Numbers of exons, those together that follow each other along one strand of the contig."""
    runs = [[0]]
    for number, ((one, other), (before, strand)) in enumerate(
        zip(pairwise(exons), pairwise(strands), strict=True), start=1
    ):
        goes_on = other[0] >= one[0] if strand == 1 else other[1] <= one[1]
        if strand == before and goes_on:
            runs[-1].append(number)
        else:
            runs.append([number])
    return runs


def apart(exons: Sequence[tuple[int, int]]) -> list[list[int]]:
    """Numbers of exons on either side of the widest gap between neighbours."""
    gaps = [max(one[0], other[0]) - min(one[1], other[1]) for one, other in pairwise(exons)]
    behind = gaps.index(max(gaps)) + 1
    return [list(range(behind)), list(range(behind, len(exons)))]


def span(exons: Sequence[tuple[int, int]]) -> tuple[int, int]:
    """From where to where they reach."""
    return min(start for start, _ in exons), max(end for _, end in exons)


def turn_of(cds: CodingSequence, size: int) -> int:
    """By how much a circle is turned for a CDS across its origin, to the middle of the rest; else 0."""
    exons = [(start, end) for start, end, _ in cds.exons]
    runs = runs_of(exons, [strand for _, _, strand in cds.exons])
    if len(runs) != 2 or cds.trans_splicing or len({strand for _, _, strand in cds.exons}) > 1:
        return 0
    first, second = (span([exons[i] for i in run]) for run in runs)
    low, high = (second, first) if cds.exons[0].strand == 1 else (first, second)
    return (low[1] + high[0]) // 2 % size if low[1] <= high[0] else 0


def turned(start: int, end: int, turn: int, size: int) -> tuple[int, int]:
    """A stretch of a circular contig on the contig turned."""
    place = (start - turn) % size
    return place, place + end - start


def turned_back(start: int, end: int, turn: int, size: int) -> list[tuple[int, int]]:
    """A stretch of the turned contig on the contig as it is, in one piece or two."""
    start, end = start + turn, end + turn
    if start >= size:
        return [(start - size, end - size)]
    return [(start, end)] if end <= size else [(start, size), (0, end - size)]
