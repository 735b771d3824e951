"""Windows of contigs as rows, one for each strand, with the gene types and the order of their organism.

A row of a strand has the annotation of that strand alone, as in the released data of LucaOne: a nucleotide
across from a gene is not labelled. So the reverse strand is read as it is transcribed, and its spans are
those of its own genes, mirrored.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from lifecode.alphabet import decode_nucleotides, reverse_complement
from lifecode.data.records import Contig
from lifecode.datasets.luca_one.records.gene_regions import Region
from lifecode.datasets.luca_one.rows import LucaOneRow


class Window(NamedTuple):
    """0-based, half-open `[start, end)` on a contig."""

    start: int
    end: int


def windows_of(start: int, end: int, max_nucleotides: int) -> list[Window]:
    """A stretch cut into as few windows as fit, whose lengths differ by one at most."""
    length = end - start
    count = -(-length // max_nucleotides)
    edges = [start + index * length // count for index in range(count + 1)] if count else []
    return [Window(*edge) for edge in pairwise(edges)]


class AnnotatedContig:
    """A contig with its regions as columns, so that the spans of many windows are found fast.

    Args:
        contig: what is cut into windows.
        regions: of `gene_regions`; where they overlap the later one counts.
        order: taxonomic order of the organism, or None.
    """

    def __init__(self, contig: Contig, regions: Sequence[Region], order: str | None) -> None:
        self.contig, self.order = contig, order
        self._types = [region.gene_type for region in regions]
        self._places = np.array([region[:3] for region in regions], dtype=np.int64).reshape(-1, 3)

    @property
    def gene_types(self) -> Counter[str]:
        """How many regions of each gene type there are."""
        return Counter(self._types)

    def strands(self, reverse_strand: bool) -> tuple[int, ...]:
        """Strands that give a row: both of DNA where they are asked for, of an RNA or a CDS its own."""
        return (1, -1) if reverse_strand and self.contig.molecule == "dna" else (1,)

    def row(self, window: Window, strand: int) -> LucaOneRow:
        """The row of a window on one strand; its name has the place counted from 1."""
        nucleotides = self.contig.nucleotides[window.start : window.end]
        if strand == -1:
            nucleotides = reverse_complement(nucleotides)
        spans = self._spans(window, strand)
        return LucaOneRow(
            id=f"{self.contig.name}:{window.start + 1}-{window.end}({'+' if strand == 1 else '-'})",
            molecule="gene",
            sequence=decode_nucleotides(nucleotides),
            spans={"gene_type": spans} if spans else {},
            labels={} if self.order is None else {"gene_taxonomy": self.order},
        )

    def _spans(self, window: Window, strand: int) -> list[tuple[int, int, str]]:
        """(first, last, gene type) of the regions in a window, counted on its own strand."""
        start, end, on = self._places.T
        inside = np.flatnonzero((start < window.end) & (end > window.start) & (on == strand))
        first = np.maximum(start[inside], window.start) - window.start
        last = np.minimum(end[inside], window.end) - window.start - 1
        if strand == -1:
            top = window.end - window.start - 1
            first, last = top - last, top - first
        return [
            (int(begin), int(stop), self._types[index])
            for index, begin, stop in zip(inside.tolist(), first, last, strict=True)
        ]


def share_unknown(nucleotides: NDArray[np.uint8]) -> float:
    """Share of letters that are none of A, C, G and T."""
    return float((nucleotides > 3).mean()) if len(nucleotides) else 1.0


def gene_rows(
    annotated: AnnotatedContig, windows: Sequence[Window], *, reverse_strand: bool
) -> Iterator[LucaOneRow]:
    """The rows of some windows, the two strands of a window one after the other."""
    for window in windows:
        for strand in annotated.strands(reverse_strand):
            yield annotated.row(window, strand)
