"""The exons of a CDS from the lines that a GFF3 or GTF file has for it, in the order of the ribosome.

A file may list the parts in any order: on one strand their positions decide. Only trans-splicing has an order
of its own, which NCBI numbers (`part=1`) and which is else that of the file. On a circular sequence a part
may end beyond the last nucleotide, or the parts may lie on both sides of the origin.
"""

import re
from collections.abc import Iterator, Sequence
from itertools import pairwise

from lifecode.data.gff_lines import Feature
from lifecode.data.records import Exon


def ordered_parts(parts: Sequence[Feature], num_nucleotides: int, circular: bool) -> list[Feature]:
    """The parts from 5' to 3' of the CDS."""
    exception = parts[0].attributes.get("exception", "")
    if re.search("trans.splicing", exception) or len({part.strand for part in parts}) > 1:
        numbers = [part.attributes.get("part", "").partition("/")[0] for part in parts]
        if all(number.isascii() and number.isdigit() and len(number) < 10 for number in numbers):
            return [part for _, part in sorted(zip(map(int, numbers), parts, strict=True), key=_first)]
        return list(parts)
    forward = sorted(parts, key=lambda part: (part.start, part.end))
    if circular and len(parts) > 1 and forward[0].start == 0 and forward[-1].end == num_nucleotides:
        gaps = [after.start - before.end for before, after in pairwise(forward)]
        origin = gaps.index(max(gaps)) + 1  # the CDS begins behind the widest gap
        forward = forward[origin:] + forward[:origin]
    return forward if parts[0].strand == 1 else forward[::-1]


def with_stop_codon(parts: list[Feature], stop_codons: Sequence[Feature]) -> list[Feature]:
    """The parts with the stop codon that GTF keeps outside the CDS; one that they hold changes nothing.

    The stop codon may itself be split over two exons. A piece beside a part lengthens it.
    """
    for stop in stop_codons:
        if any(part.start <= stop.start and stop.end <= part.end for part in parts):
            continue
        beside = [i for i, part in enumerate(parts) if stop.end == part.start or part.end == stop.start]
        if beside and stop.problem is None:
            part = parts[beside[0]]
            start, end = min(part.start, stop.start), max(part.end, stop.end)
            parts = [*parts[: beside[0]], part._replace(start=start, end=end), *parts[beside[0] + 1 :]]
        else:
            parts = [*parts, stop]
    return parts


def exons_of(parts: Sequence[Feature], num_nucleotides: int, circular: bool) -> tuple[Exon, ...]:
    """The exons of parts in the order of the CDS; a part across the origin of a circular sequence is two."""
    return tuple(exon for part in parts for exon in _around_the_origin(part, num_nucleotides, circular))


def _around_the_origin(part: Feature, num_nucleotides: int, circular: bool) -> Iterator[Exon]:
    start, end, strand = part.start, part.end, part.strand
    if circular and start < num_nucleotides < end <= 2 * num_nucleotides:
        halves = Exon(start, num_nucleotides, strand), Exon(0, end - num_nucleotides, strand)
        yield from halves if strand == 1 else halves[::-1]
    else:
        yield Exon(start, end, strand)


def _first(pair: tuple[int, Feature]) -> int:
    return pair[0]
