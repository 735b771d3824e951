"""A CDS with the exons around it, as a variant meets it: where a nucleotide lies, and what is read there.

A transcript whose untranslated exons nothing tells is its CDS alone. Positions along it count from 0 at its
first nucleotide, 5' to 3'; `cds_start` and `cds_end` say where the CDS lies in that.
"""

from collections.abc import Sequence
from functools import cache, cached_property
from itertools import pairwise

from lifecode.alphabet import CODONS
from lifecode.data.cds.recoding import recoded_codons
from lifecode.data.records import CodingSequence
from lifecode.genetic_code import genetic_code
from lifecode.variants.alleles import reverse_complement_letters

SHORTEST_INTRON = 10
"""Nucleotides; a shorter gap is where the ribosome changes frame, or an error, and is never spliced out."""


class Transcript:
    """One CDS and the exons that it is read from.

    Args:
        coding_sequence: as annotated, its exons on the contig.
        sequence: letters of the contig, A, C, G, T and N.
        exons: (start, end) of the transcript's exons, 5' to 3', 0-based half-open; None where only those of
            the CDS are known.

    Attributes:
        id: of the CDS.
        gene: name, else what the isoforms share, else empty.
        strand: 1 or -1.
        exons: 5' to 3'.
        offsets: place of each exon along the transcript.
        cds_start, cds_end: of the CDS along the transcript.
        frame: nucleotides before the first whole codon.
        has_untranslated: whether the exons reach beyond the CDS.
    """

    def __init__(
        self,
        coding_sequence: CodingSequence,
        sequence: str,
        exons: Sequence[tuple[int, int]] | None = None,
    ) -> None:
        cds = coding_sequence
        self.coding_sequence, self._sequence = cds, sequence
        self.id, self.gene = cds.id, cds.gene or cds.gene_id or ""
        self.strand = cds.exons[0].strand
        self.frame = cds.codon_start - 1
        self.parts = tuple((start, end) for start, end, _ in cds.exons)
        self.exons = tuple(exons) if exons else self.parts
        self.offsets = tuple(_running([end - start for start, end in self.exons]))
        length = sum(end - start for start, end in self.exons)
        cds_length = sum(end - start for start, end in self.parts)
        self.cds_start = 0
        if exons:
            first = self.parts[0][0] if self.strand == 1 else self.parts[0][1] - 1
            self.cds_start = self._along(first)
        self.cds_end = self.cds_start + cds_length
        self.has_untranslated = length > cds_length
        self.stretches = _stretches(self.exons, self.strand, len(sequence))
        self.introns = tuple(self._introns())
        self.part_offsets = tuple(_running([end - start for start, end in self.parts]))
        self.code = genetic_code(cds.genetic_code)

    @cached_property
    def coding(self) -> str:
        """Letters of the CDS, 5' to 3', all of them."""
        pieces = [self._sequence[start:end] for start, end in self.parts]
        return "".join(pieces if self.strand == 1 else map(reverse_complement_letters, pieces))

    @cached_property
    def whole_codons(self) -> str:
        """Letters of the codons of `protein`."""
        return self.coding[self.frame : self.frame + 3 * len(self.protein)]

    @cached_property
    def residues(self) -> dict[str, str]:
        """Letter of each codon inside a gene, by the genetic code; a codon with an N is not in it."""
        return dict(zip(CODONS, self.code.letters.decode("latin-1"), strict=False))

    @cached_property
    def recoded(self) -> dict[int, str]:
        """Residues of codons that the gene reads in a way of its own."""
        return recoded_codons(self.coding_sequence) if self.coding_sequence.transl_except else {}

    @cached_property
    def starts_with_start(self) -> bool:
        """Whether its first codon is one that begins a CDS, and not one inside a gene that is cut off."""
        cds = self.coding_sequence
        is_cut = cds.partial and not (cds.protein or "").startswith("M")
        return self.frame == 0 and not is_cut and self.is_start(self.coding[:3])

    def is_start(self, codon: str) -> bool:
        """Whether a codon begins a CDS: ATG, or by a code other than the standard one what that names."""
        if codon == "ATG":
            return True
        return self.code.number != 1 and codon in start_codons(self.code.number)

    @cached_property
    def protein(self) -> str:
        """A letter for each whole codon, the first M where it is a start, `*` for stops, X for ambiguity."""
        letters = self.translate(self.coding[self.frame :])
        if self.recoded:
            letters = "".join(self.recoded.get(i, letter) for i, letter in enumerate(letters))
        if self.starts_with_start:
            letters = "M" + letters[1:]
        return letters

    def translate(self, letters: str) -> str:
        """Residues of whole codons, each read as inside a gene."""
        table = self.residues
        return "".join([table.get(letters[i : i + 3], "X") for i in range(0, len(letters) - 2, 3)])

    def behind(self, most: int) -> str:
        """Up to `most` letters that follow the CDS: along the exons, or on the contig if none is known."""
        if self.has_untranslated:
            pieces, left = [], self.cds_end
            for (start, end), offset in zip(self.exons, self.offsets, strict=True):
                if (skip := max(0, left - offset)) < end - start:
                    piece = (
                        self._sequence[start + skip : end]
                        if self.strand == 1
                        else reverse_complement_letters(self._sequence[start : end - skip])
                    )
                    pieces.append(piece)
            return "".join(pieces)[:most]
        if self.strand == 1:
            end = self.parts[-1][1]
            return self._sequence[end : end + most]
        start = self.parts[-1][0]
        return reverse_complement_letters(self._sequence[max(0, start - most) : start])

    def before(self, most: int) -> str:
        """Up to `most` letters that come before the CDS, likewise."""
        if self.has_untranslated:
            pieces = [self._sequence[start:end] for start, end in self.exons]
            letters = "".join(pieces if self.strand == 1 else map(reverse_complement_letters, pieces))
            return letters[max(0, self.cds_start - most) : self.cds_start]
        if self.strand == 1:
            start = self.parts[0][0]
            return self._sequence[max(0, start - most) : start]
        end = self.parts[0][1]
        return reverse_complement_letters(self._sequence[end : end + most])

    def _along(self, position: int) -> int:
        for (start, end), offset in zip(self.exons, self.offsets, strict=True):
            if start <= position < end:
                return offset + (position - start if self.strand == 1 else end - 1 - position)
        raise ValueError(position)

    def _introns(self) -> list[tuple[int, int]]:
        """Gaps between consecutive exons that are long enough to be spliced, lowest position first."""
        gaps = []
        for one, other in pairwise(self.exons):
            left, right = (one, other) if self.strand == 1 else (other, one)
            if right[0] - left[1] >= SHORTEST_INTRON:
                gaps.append((left[1], right[0]))
        return sorted(gaps)


@cache
def start_codons(number: int) -> frozenset[str]:
    """Codons that can begin a CDS by a genetic code of the NCBI."""
    starts = genetic_code(number).starts
    return frozenset(codon for codon, is_start in zip(CODONS, starts[:64], strict=True) if is_start)


def _running(lengths: list[int]) -> list[int]:
    total, places = 0, []
    for length in lengths:
        places.append(total)
        total += length
    return places


def _stretches(exons: Sequence[tuple[int, int]], strand: int, length: int) -> tuple[tuple[int, int], ...]:
    """From the first to the last nucleotide on the contig: one stretch, or two across an origin."""
    inner = exons if strand == 1 else exons[::-1]
    first, last = inner[0][0], inner[-1][1]
    if all(one[0] <= other[0] for one, other in pairwise(inner)):
        return ((min(s for s, _ in inner), max(e for _, e in inner)),)
    return ((first, length), (0, last))
