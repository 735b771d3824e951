"""Where a gene lies on its contig, cut out on the coding strand with its introns and flanks.

Exons are those of the CDS and introns the gaps between them: a record knows no other exons, so an intron in
an untranslated region is not seen. What no spliceosome would make of the contig is left out by reason.
"""

from dataclasses import dataclass
from enum import StrEnum
from itertools import pairwise
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from lifecode.alphabet import reverse_complement
from lifecode.data.records import CodingSequence, Contig

SHORTEST_INTRON = 15
"""The shortest introns known, those of the ciliate Stentor; a smaller gap is a frameshift or a correction."""


class NoLocus(StrEnum):
    """Why a CDS gives no locus; the values are keys of `report.json`."""

    TRANS_SPLICING = "trans_splicing"
    RIBOSOMAL_SLIPPAGE = "ribosomal_slippage"
    EXONS_OUT_OF_ORDER = "exons_out_of_order"
    GAP_SHORTER_THAN_AN_INTRON = "gap_shorter_than_an_intron"
    FLANK_BEYOND_CONTIG = "flank_beyond_contig"


class Span(NamedTuple):
    """0-based, half-open."""

    start: int
    end: int


@dataclass(frozen=True, slots=True, eq=False)
class Locus:
    """A gene on its coding strand.

    Attributes:
        nucleotides: (num_nucleotides,) uint8 ids, flanks and introns included.
        exons: of the CDS, on `nucleotides`, ascending; adjoining ones are one.
        start: of `nucleotides` on the contig, on its forward strand; below 0 before the origin of a circle.
        end: likewise; beyond the length of the contig after the origin of a circle.
        strand: +1 or -1.
    """

    nucleotides: NDArray[np.uint8]
    exons: tuple[Span, ...]
    start: int
    end: int
    strand: int

    @property
    def introns(self) -> tuple[Span, ...]:
        """The gaps between the exons, ascending."""
        return tuple(Span(left.end, right.start) for left, right in pairwise(self.exons))

    @property
    def place(self) -> tuple[object, ...]:
        """Equal for two loci with the same exons on one contig."""
        return self.start, self.strand, self.exons

    def transcript(self) -> NDArray[np.uint8]:
        """Nucleotide ids of the flanks and exons joined, without the introns."""
        last = Span(self.exons[-1].end, len(self.nucleotides))
        return self._joined(Span(0, self.exons[0].start), *self.exons, last)

    def coding_sequence(self) -> NDArray[np.uint8]:
        """Nucleotide ids of the exons joined."""
        return self._joined(*self.exons)

    def _joined(self, *spans: Span) -> NDArray[np.uint8]:
        return np.concatenate([self.nucleotides[start:end] for start, end in spans])


def locus_of(cds: CodingSequence, contig: Contig, flank_nucleotides: int = 0) -> Locus | NoLocus:
    """The locus of a CDS whose exons lie on the contig, or why it has none.

    Args:
        cds: verified, or at least with exons within the contig.
        contig: the CDS lies on it.
        flank_nucleotides: before the first exon and behind the last.
    """
    strands = {exon.strand for exon in cds.exons}
    if cds.trans_splicing or len(strands) != 1:
        return NoLocus.TRANS_SPLICING
    if cds.ribosomal_slippage:
        return NoLocus.RIBOSOMAL_SLIPPAGE
    strand = strands.pop()
    exons = _along_the_contig(cds, contig, strand)
    if exons is None:
        return NoLocus.EXONS_OUT_OF_ORDER
    if any(right.start - left.end < SHORTEST_INTRON for left, right in pairwise(exons)):
        return NoLocus.GAP_SHORTER_THAN_AN_INTRON
    start, end = exons[0].start - flank_nucleotides, exons[-1].end + flank_nucleotides
    nucleotides = cut(contig, start, end, strand)
    if nucleotides is None:
        return NoLocus.FLANK_BEYOND_CONTIG
    if strand == 1:
        placed = [Span(exon.start - start, exon.end - start) for exon in exons]
    else:
        placed = [Span(end - exon.end, end - exon.start) for exon in reversed(exons)]
    return Locus(nucleotides, tuple(placed), start, end, strand)


def cut(contig: Contig, start: int, end: int, strand: int) -> NDArray[np.uint8] | None:
    """Nucleotide ids of a stretch on one strand, None where the contig does not reach.

    A circular contig goes on behind its origin, once around at most.
    """
    length = len(contig.nucleotides)
    if start >= 0 and end <= length:
        piece = contig.nucleotides[start:end]
    elif contig.circular and end - start <= length:
        piece = contig.nucleotides.take(range(start, end), mode="wrap")
    else:
        return None
    return piece if strand == 1 else reverse_complement(piece)


def _along_the_contig(cds: CodingSequence, contig: Contig, strand: int) -> list[Span] | None:
    """The exons ascending, on behind the origin of a circle, adjoining ones joined; None if they do not."""
    length = len(contig.nucleotides)
    spans: list[Span] = []
    turn = 0
    for exon in cds.exons[::strand]:
        if spans and exon.start + turn < spans[-1].end and contig.circular and not turn:
            turn = length
        span = Span(exon.start + turn, exon.end + turn)
        if spans and (span.start < spans[-1].end or span.end - spans[0].start > length):
            return None
        if spans and span.start == spans[-1].end:
            span = Span(spans.pop().start, span.end)
        spans.append(span)
    return spans
