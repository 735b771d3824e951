"""The parts of a CDS from the lines that a GFF3 or GTF file has for it, in the order of the ribosome.

A file may list the parts in any order: on one strand their positions decide. Only trans-splicing has an order
of its own, which NCBI numbers (`part=1`) and GTF too (`exon_number`), and which is else that of the file.
On a circular sequence a part may end beyond the last nucleotide or before it begins, or the parts may lie on
both sides of the origin. Where several orders are possible the sequence decides (`gff_frames`).
"""

import sys
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from itertools import accumulate, pairwise

from lifecode.data.formats.gff.lines import Feature
from lifecode.data.records import Exon

_NUMBERS = ("part", "exon_number", "exonnumber")
_MOST_ROTATIONS = 20


def on_sequence(part: Feature, num_nucleotides: int, circular: bool) -> Feature:
    """A part with its start on the sequence and before its end, or with the problem that it has none."""
    start, end = part.start, part.end
    if part.problem is not None or (start < end and (start < num_nucleotides or not circular)):
        return part
    if circular and num_nucleotides:
        if end <= start < num_nucleotides:  # over the origin, written as 401..80
            return part._replace(end=end + num_nucleotides)
        if num_nucleotides <= start < end:
            behind = start // num_nucleotides * num_nucleotides
            return part._replace(start=start - behind, end=end - behind)
    return part._replace(start=0, end=0, problem=f"no stretch from {start + 1} to {end}")


def possible_orders(
    parts: Sequence[Feature], num_nucleotides: int, circular: bool, trans_splicing: bool
) -> Iterator[list[Feature]]:
    """The parts from 5' to 3' of the CDS, in every order that is possible, the most likely first.

    Only the first matters on a linear sequence without trans-splicing: there is one order.
    """
    one_strand = len({part.strand for part in parts}) == 1
    by_position = _by_position(parts, num_nucleotides, circular) if one_strand else list(parts)
    if trans_splicing or not one_strand:
        for key in _NUMBERS:
            if (numbered := _by_number(parts, key)) is not None:
                yield numbered
        yield list(parts)
    if not one_strand:
        plus = sorted((part for part in parts if part.strand == 1), key=_start)
        minus = sorted((part for part in parts if part.strand != 1), key=_start, reverse=True)
        yield plus + minus
        yield minus + plus
    yield by_position
    if (circular or trans_splicing or not one_strand) and len(parts) <= _MOST_ROTATIONS:
        if not trans_splicing:
            yield list(parts)
        yield list(parts)[::-1]
        yield from (by_position[i:] + by_position[:i] for i in range(1, len(parts)))


def with_stop_codon(
    parts: list[Feature], stop_codons: Sequence[Feature], num_nucleotides: int, circular: bool
) -> list[Feature]:
    """The parts with the stop codon that GTF keeps outside the CDS; one that they hold changes nothing.

    The stop codon may itself be split over two exons. A piece behind a part lengthens it; any other is a part
    under the ID that the parts have in common.
    """
    if not stop_codons:
        return parts
    parts = list(parts)
    around = num_nucleotides if circular and num_nucleotides else sys.maxsize
    ordered = sorted(parts, key=_start)
    starts = [part.start for part in ordered]
    furthest = list(accumulate((part.end for part in ordered), max))
    ends = {
        (one.strand, (one.end if one.strand == 1 else one.start) % around): i for i, one in enumerate(parts)
    }
    ids = {part.attributes.get("id") for part in parts}
    own_id = {"id": name} if len(ids) == 1 and (name := ids.pop()) else {}
    for stop in stop_codons:
        before = bisect_right(starts, stop.start)
        if before and furthest[before - 1] >= stop.end:
            continue
        if circular and furthest[-1] >= stop.end + around:  # held behind the origin
            continue
        strand = stop.strand
        behind = ends.pop((strand, (stop.start if strand == 1 else stop.end) % around), None)
        if behind is None or stop.problem is not None:
            parts.append(stop._replace(phase=None, attributes=stop.attributes | own_id))
            continue
        start, end = parts[behind].start, parts[behind].end
        if strand == 1:
            end += stop.end - stop.start
        else:
            start -= stop.end - stop.start
            if start < 0:
                start, end = start + num_nucleotides, end + num_nucleotides
        parts[behind] = parts[behind]._replace(start=start, end=end)
        ends[strand, (end if strand == 1 else start) % around] = behind
    return parts


def exons_of(parts: Sequence[Feature], num_nucleotides: int, circular: bool) -> tuple[Exon, ...]:
    """The exons of parts in the order of the CDS; a part across the origin of a circular sequence is two."""
    return tuple(exon for part in parts for exon in _around_the_origin(part, num_nucleotides, circular))


def phase_contradiction(parts: Sequence[Feature]) -> str | None:
    """Where the phase of a part, given from 5' to 3', is not what the lengths before it leave, in words."""
    length = 0
    first = parts[0].phase or 0
    for part in parts:
        expected = (first - length) % 3
        if part.phase is not None and part.phase != expected:
            return f"line {part.line} has phase {part.phase} where the parts before it give {expected}"
        length += part.end - part.start
    return None


def _by_position(parts: Sequence[Feature], num_nucleotides: int, circular: bool) -> list[Feature]:
    forward = sorted(parts, key=_start_and_end)
    if circular and len(parts) > 1 and forward[0].start == 0 and forward[-1].end == num_nucleotides:
        gaps = [after.start - before.end for before, after in pairwise(forward)]
        origin = gaps.index(max(gaps)) + 1  # the CDS begins behind the widest gap
        forward = forward[origin:] + forward[:origin]
    return forward if parts[0].strand == 1 else forward[::-1]


def _by_number(parts: Sequence[Feature], key: str) -> list[Feature] | None:
    """The parts by a number that each of them has, or None."""
    numbers = [part.attributes.get(key, "").partition("/")[0].strip() for part in parts]
    if not all(number.isascii() and number.isdigit() and len(number) < 10 for number in numbers):
        return None
    order = sorted(range(len(parts)), key=lambda i: int(numbers[i]))
    return [parts[i] for i in order]


def _around_the_origin(part: Feature, num_nucleotides: int, circular: bool) -> Iterator[Exon]:
    start, end, strand = part.start, part.end, part.strand
    if circular and start < num_nucleotides < end <= 2 * num_nucleotides:
        halves = Exon(start, num_nucleotides, strand), Exon(0, end - num_nucleotides, strand)
        yield from halves if strand == 1 else halves[::-1]
    else:
        yield Exon(start, end, strand)


def _start(part: Feature) -> int:
    return part.start


def _start_and_end(part: Feature) -> tuple[int, int]:
    return part.start, part.end
