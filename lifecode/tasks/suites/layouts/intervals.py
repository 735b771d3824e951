"""Intervals of a reference genome as sequences: 0-based, half open, `-` is the reverse complement."""

from collections.abc import Container, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from lifecode.alphabet import decode_nucleotides, reverse_complement
from lifecode.data.formats.fasta import nucleotide_records
from lifecode.data.formats.opening import opened
from lifecode.errors import UserError


class Interval(NamedTuple):
    """A part of a named sequence."""

    region: str
    start: int
    end: int
    strand: str


def sequences_of(intervals: Sequence[Interval], genome: Path, source: str) -> list[str]:
    """The letters of each interval; the genome is read once, a record at a time.

    Args:
        intervals: `chr1` also finds a record that is called `1`, and the other way round.
        genome: FASTA, plain or compressed.
        source: file that names the intervals, for errors.

    Raises:
        UserError: an interval of which the genome has no record, or that ends behind it.
    """
    wanted: dict[str, list[int]] = {}
    for number, interval in enumerate(intervals):
        wanted.setdefault(_plain(interval.region), []).append(number)
    found: dict[int, str] = {}
    for name, letters in _records(genome, wanted):
        for number in wanted[name]:
            interval = intervals[number]
            if not 0 <= interval.start < interval.end <= len(letters):
                raise UserError(
                    f"{interval.region}:{interval.start}-{interval.end} lies outside its "
                    f"{len(letters):,} nucleotides",
                    source=source,
                    record=f"in row {number + 1}",
                    remedy="Give the genome of the assembly that metadata.yaml names",
                )
            part = letters[interval.start : interval.end]
            found[number] = decode_nucleotides(reverse_complement(part) if interval.strand == "-" else part)
    if missing := [number for number in range(len(intervals)) if number not in found]:
        raise UserError(
            f"{intervals[missing[0]].region!r} is no record of {genome}",
            source=source,
            record=f"in row {missing[0] + 1}",
            remedy="Give the genome that metadata.yaml names",
        )
    return [found[number] for number in range(len(intervals))]


def _records(genome: Path, wanted: Container[str]) -> Iterator[tuple[str, NDArray[np.uint8]]]:
    def refuse(fault: UserError) -> None:
        raise fault

    with opened(genome) as handle:
        for record in nucleotide_records(handle, str(genome), refuse):
            if (name := _plain(record.name)) in wanted:
                yield name, record.nucleotides


def _plain(name: str) -> str:
    return name.removeprefix("chr")
