"""The lines of one transcript as one CDS, or as the several that they say or spell.

Lines that name different proteins or genes, or have ids of several lines each, are different CDS. Beyond that
the sequence decides: what spells one intact frame is one CDS, what spells several, one behind the other, is
an operon or one id at two loci. What spells none stays together, to be rejected by its own reason.
"""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from lifecode.data.formats.gff.exons import phase_contradiction, possible_orders
from lifecode.data.formats.gff.flags import exceptions
from lifecode.data.formats.gff.frames import Frames
from lifecode.data.formats.gff.lines import Feature
from lifecode.data.records import Exon
from lifecode.errors import UserError
from lifecode.genetic_code import genetic_code as code_of

_TABLES = ("transl_table", "translation_table", "genetic_code")
_TELLS_APART = ("derives_from", "protein_id", "locus_tag", "gene_id", "gene", "proteinid")


class Splitter:
    """Cuts the lines of transcripts of one contig into CDS.

    Args:
        nucleotides: (num_nucleotides,) ids of the contig.
        circular: whether it is circular.
        genetic_code: NCBI code of CDS without a `transl_table`.
    """

    def __init__(self, nucleotides: NDArray[np.uint8], circular: bool, genetic_code: int) -> None:
        self._nucleotides = nucleotides
        self._circular = circular
        self._code = genetic_code
        self._frames_of: dict[int, Frames] = {}

    def split(self, lines: list[Feature], above: list[Feature]) -> Iterator[list[Feature]]:
        """The lines as one CDS or as several, each from 5' to 3'."""
        together = self.ordered(lines, above)
        by_id: dict[str, list[Feature]] = defaultdict(list)
        for one in lines:
            by_id[one.attributes.get("id", "")].append(one)
        if len(by_id) > 1 and any(len(group) > 1 for group in by_id.values()):
            for group in by_id.values():
                yield from self.split(group, above)
            return
        strands = {part.strand for part in lines}
        frames = self.frames(lines)
        one_strand_and_id = len(by_id) == len(strands) == 1
        if (
            len(lines) == 1
            or any(exceptions([*lines, *above]))
            or (one_strand_and_id and not frames.may_end_inside(together))
            or frames.is_intact(together)
        ):
            yield together
            return
        if any(one.problem for one in lines):
            yield from by_id.values()
            return
        runs = [
            frames.runs(self.ordered([o for o in lines if o.strand == s], above)) for s in sorted(strands)
        ]
        whole = [run for several in runs for run in several or ()]
        if all(runs) and len(whole) > 1:
            yield from sorted(whole, key=first_line)
        elif all(_is_whole(one) and frames.ends_in_stop(one) for one in lines):
            yield from ([one] for one in lines)
        elif len(by_id) == 1 or (
            len(strands) == 1 and _are_disjoint(lines) and not all(map(frames.ends_in_stop, lines))
        ):
            yield together
        else:
            yield from by_id.values()

    def ordered(self, lines: list[Feature], above: list[Feature]) -> list[Feature]:
        """The parts from 5' to 3'; of several orders that which is an intact frame, with phases that fit."""
        if len(lines) == 1:
            return lines
        _, trans = exceptions([*lines, *above])
        orders = possible_orders(lines, len(self._nucleotides), self._circular, trans)
        first = next(orders)
        if not (trans or self._circular or len({part.strand for part in lines}) > 1):
            return first
        frames = self.frames(lines)
        best = None
        for order in (first, *orders):
            if frames.is_intact(order):
                if phase_contradiction(order) is None:
                    return order
                best = best or order
        return best or first

    def frames(self, lines: Sequence[Feature]) -> Frames:
        """Reading frames by the genetic code of a CDS, or by the default where there is no such code."""
        number = table_of(lines) or self._code
        if number not in self._frames_of:
            try:
                code = code_of(number)
            except UserError:
                code = code_of(self._code)
            self._frames_of[number] = Frames(self._nucleotides, self._circular, code)
        return self._frames_of[number]


def told_apart(lines: list[Feature]) -> list[list[Feature]]:
    """The lines by what each says of its protein or gene; those that share an id stay together."""
    name = lines[0].attributes.get("id")
    if name and all(one.attributes.get("id") == name for one in lines):
        return [lines]
    for key in _TELLS_APART:
        if not lines[0].attributes.get(key):
            continue
        values = [one.attributes.get(key) for one in lines]
        if all(values) and len(set(values)) > 1:
            buckets: dict[str, list[Feature]] = defaultdict(list)
            for one, value in zip(lines, values, strict=True):
                buckets[value or ""].append(one)
            return list(buckets.values())
    return [lines]


def loci(found: Sequence[Sequence[Feature | Exon]]) -> list[int]:
    """For each CDS the 1-based number of the stretch that it and those overlapping it lie on."""
    spans = sorted((min(map(_start, parts)), max(map(_end, parts)), i) for i, parts in enumerate(found))
    stretch_of: dict[int, int] = {}
    stretch, reach = 0, -1
    for start, end, i in spans:
        stretch += start >= reach
        reach = max(reach, end)
        stretch_of[i] = stretch
    numbers: dict[int, int] = {}
    return [numbers.setdefault(stretch_of[i], len(numbers) + 1) for i in range(len(found))]


def table_of(lines: Sequence[Feature]) -> int | None:
    """The genetic code that the first of the lines with one names; 0 for one that is no number."""
    told = (one.attributes[key] for one in lines for key in _TABLES if one.attributes.get(key))
    table = next(told, None)
    if table is None:
        return None
    return int(table) if table.isascii() and table.isdigit() and len(table) < 5 else 0


def _is_whole(part: Feature) -> bool:
    """Whether a line alone may be a CDS: whole codons from its first nucleotide on."""
    return (part.end - part.start) % 3 == 0 and not part.phase


def _are_disjoint(parts: Sequence[Feature]) -> bool:
    return all(a.end <= b.start for a, b in pairwise(sorted(parts, key=_start)))


def _start(part: Feature | Exon) -> int:
    return part.start


def _end(part: Feature | Exon) -> int:
    return part.end


def first_line(parts: Sequence[Feature]) -> int:
    """The number of the line that the file has first."""
    return min(part.line for part in parts)
