"""A CDS with the exons around it, as a variant meets it: where a nucleotide lies, and what is read there.

A transcript whose untranslated exons nothing tells is its CDS alone. Positions along it count from 0 at its
first nucleotide, 5' to 3'; `cds_start` and `cds_end` say where the CDS lies in that. What is no CDS, an RNA
or a pseudogene, is a transcript whose exons stand for one, and of which no codon is read.

The order of the annotation is the order in which parts are read. Parts that do not follow each other on one
strand of the contig are trans-spliced: what lies between them is no intron. Nor is the widest gap between
those that do, of a CDS that is said to be trans-spliced. A CDS across the origin of a circular contig is
looked at on the contig turned, so that it lies in one piece.
"""

from collections.abc import Sequence
from functools import cache, cached_property
from itertools import pairwise

from lifecode.alphabet import CODONS
from lifecode.data.cds.recoding import recoded_codons
from lifecode.data.records import CodingSequence
from lifecode.genetic_code import genetic_code
from lifecode.variants.alleles import Change, normal_form, reverse_complement_letters
from lifecode.variants.exon_runs import apart, running, runs_of, span, turn_of, turned, turned_back

SHORTEST_INTRON = 10
"""Nucleotides; a shorter gap is where the ribosome changes frame, or an error, and is never spliced out."""


class Transcript:
    """One CDS and the exons that it is read from.

    Args:
        coding_sequence: as annotated, its exons on the contig.
        sequence: letters of the contig, A, C, G, T and N.
        exons: (start, end) of the transcript's exons, 5' to 3', 0-based half-open, on the strand of the CDS;
            None where only those of the CDS are known.
        circular: whether the contig is.
        coding: whether it is a CDS.

    Attributes:
        id: of the CDS.
        is_coding: whether it is one.
        prefix: of its names: `c.`, or `n.` of what is no CDS.
        gene: name, else what the isoforms share, else empty.
        strand: 1 or -1, of its first part.
        turned: nucleotides by which the contig is turned to the left; `parts` and all that follows from them
            are places on the turned contig, `stretches` are on the contig as it is.
        parts, part_strands: of the CDS, 5' to 3'.
        exons, exon_strands: likewise.
        introns: (start, end, strand), lowest position first.
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
        *,
        circular: bool = False,
        coding: bool = True,
    ) -> None:
        self.is_coding, self.prefix = coding, "c." if coding else "n."
        cds, size = coding_sequence, len(sequence)
        self.coding_sequence, self._circular = cds, circular
        self.turned = turn = turn_of(cds, size) if circular and exons is None else 0
        self._sequence = sequence[turn:] + sequence[:turn] if turn else sequence
        self.id, self.gene = cds.id, cds.gene or cds.gene_id or ""
        self.strand = cds.exons[0].strand
        self.frame = cds.codon_start - 1
        self.parts = tuple(turned(start, end, turn, size) for start, end, _ in cds.exons)
        self.part_strands = tuple(strand for _, _, strand in cds.exons)
        self.exons = tuple(exons) if exons else self.parts
        self.exon_strands = (self.strand,) * len(exons) if exons else self.part_strands
        self._on_both_strands = len(set(self.part_strands)) > 1
        self.offsets = tuple(running([end - start for start, end in self.exons]))
        length = sum(end - start for start, end in self.exons)
        cds_length = sum(end - start for start, end in self.parts)
        self.cds_start = 0
        if exons:
            first = self.parts[0][0] if self.strand == 1 else self.parts[0][1] - 1
            self.cds_start = self._along(first)
        self.cds_end = self.cds_start + cds_length
        self.has_untranslated = length > cds_length
        runs = runs_of(self.exons, self.exon_strands)
        if cds.trans_splicing and len(runs) == 1 and len(self.exons) > 1:
            runs = apart(self.exons)
        self.stretches = tuple(
            piece for run in runs for piece in turned_back(*span([self.exons[i] for i in run]), turn, size)
        )
        self.introns = tuple(sorted(intron for run in runs for intron in self._introns(run)))
        self.part_offsets = tuple(running([end - start for start, end in self.parts]))
        self.code = genetic_code(cds.genetic_code)

    @cached_property
    def coding(self) -> str:
        """Letters of the CDS, 5' to 3', all of them."""
        return "".join(
            self._sequence[start:end]
            if strand == 1
            else reverse_complement_letters(self._sequence[start:end])
            for (start, end), strand in zip(self.parts, self.part_strands, strict=True)
        )

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
        """Whether its first codon is one that begins a CDS, and not one inside a gene that is cut off.

        Such as CTG by the standard code it is one where the annotated protein begins with M. Of a CDS that is
        cut off and has no protein ATG is one where no stop ends it: it is the other end that is missing.
        """
        cds, first = self.coding_sequence, self.coding[:3]
        as_annotated = (cds.protein or "").startswith("M")
        whole = self.is_start(first) if not cds.partial else not cds.protein and self._lacks_its_end(first)
        return self.frame == 0 and (as_annotated or whole)

    def _lacks_its_end(self, first: str) -> bool:
        is_ended = len(self.coding) % 3 == 0 and self.is_stop(self.coding[-3:])
        return first == "ATG" and not is_ended

    def is_start(self, codon: str) -> bool:
        """Whether a codon begins a CDS: ATG, or by a code other than the standard one what that names."""
        if codon == "ATG":
            return True
        return self.code.number != 1 and codon in start_codons(self.code.number)

    def is_stop(self, codon: str) -> bool:
        """Whether a codon ends a CDS where it is the last one."""
        return codon in stop_codons(self.code.number)

    @cached_property
    def protein(self) -> str:
        """A letter for each whole codon, the first M where it is a start, `*` for stops, X for ambiguity.

        The last codon is a stop also where it is a residue inside a gene (codes 27, 28 and 31).
        """
        letters = self.translate(self.coding[self.frame :])
        is_whole = not self.coding_sequence.partial and (len(self.coding) - self.frame) % 3 == 0
        if is_whole and self.is_stop(self.coding[-3:]):
            letters = letters[:-1] + "*"
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
        strand = self.part_strands[-1]
        return self._onward(self.parts[-1][1 if strand == 1 else 0], strand, most)

    def before(self, most: int) -> str:
        """Up to `most` letters that come before the CDS, likewise."""
        if self.has_untranslated:
            pieces = [self._sequence[start:end] for start, end in self.exons]
            letters = "".join(pieces if self.strand == 1 else map(reverse_complement_letters, pieces))
            return letters[max(0, self.cds_start - most) : self.cds_start]
        border = self.parts[0][0 if self.strand == 1 else 1]
        return reverse_complement_letters(self._onward(border, -self.strand, most))

    def seen(self, sequence: str, change: Change) -> tuple[str, Change]:
        """The contig and a change of it as `parts` count on them, which for most transcripts is as given."""
        if not self.turned:
            return sequence, change
        size, turned = len(sequence), self._sequence
        start = (change.start - self.turned) % size
        ref = turned[start : start + change.end - change.start]
        return turned, normal_form(turned, start, ref, change.alt)

    def strand_at(self, start: int, end: int) -> int:
        """The strand of the first exon, else intron, that a stretch touches; of an insertion start is end."""
        if not self._on_both_strands:
            return self.strand
        exons = ((*exon, strand) for exon, strand in zip(self.exons, self.exon_strands, strict=True))
        last = max(end, start + 1)
        for left, right, strand in (*exons, *self.introns):
            if start < right and last > left:
                return strand
        return self.strand

    def _onward(self, border: int, strand: int, most: int) -> str:
        """Up to `most` letters of the contig from a border on, in the direction of a strand."""
        letters, size = self._sequence, len(self._sequence)
        if strand == 1:
            around = max(0, border + most - size) if self._circular else 0
            return letters[border : border + most] + letters[: min(around, border)]
        around = max(0, most - border) if self._circular else 0
        before = letters[max(border, size - around) :] + letters[max(0, border - most) : border]
        return reverse_complement_letters(before)

    def _along(self, position: int) -> int:
        for (start, end), offset in zip(self.exons, self.offsets, strict=True):
            if start <= position < end:
                return offset + (position - start if self.strand == 1 else end - 1 - position)
        raise ValueError(position)

    def _introns(self, run: Sequence[int]) -> list[tuple[int, int, int]]:
        """Gaps between consecutive exons of a run that are long enough to be spliced."""
        gaps, strand = [], self.exon_strands[run[0]]
        for one, other in pairwise([self.exons[i] for i in run]):
            left, right = (one, other) if strand == 1 else (other, one)
            if right[0] - left[1] >= SHORTEST_INTRON:
                gaps.append((left[1], right[0], strand))
        return gaps


@cache
def stop_codons(number: int) -> frozenset[str]:
    """Codons that can end a CDS by a genetic code of the NCBI."""
    stops = genetic_code(number).stops
    return frozenset(codon for codon, is_stop in zip(CODONS, stops[:64], strict=True) if is_stop)


@cache
def start_codons(number: int) -> frozenset[str]:
    """Codons that can begin a CDS by a genetic code of the NCBI."""
    starts = genetic_code(number).starts
    return frozenset(codon for codon, is_start in zip(CODONS, starts[:64], strict=True) if is_start)
