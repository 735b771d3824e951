"""A gene of two exons with untranslated ends, on either strand, small enough to name its variants by hand.

    TTGACATGCA GGCACA ATGAAAGCTT GTAAGTCCATTTCTTTGCAG GGCCAAAAACGTAA CTGCCTTAAC GATTAGATCG
               5'UTR  exon 1     intron               exon 2         3'UTR

It reads MKAWPKT. On the minus strand the contig is the reverse complement, and the same `c.` numbers mean the
same letters.
"""

from lifecode.alphabet import encode_nucleotides
from lifecode.data.records import CodingSequence, Contig, Exon
from lifecode.variants.alleles import Change, normal_form, reverse_complement_letters
from lifecode.variants.consequence.effect import Effect
from lifecode.variants.consequence.effects import effect_on
from lifecode.variants.transcripts import Transcript

PARTS = (
    "TTGACATGCA",
    "GGCACA",
    "ATGAAAGCTT",
    "GTAAGTCCATTTCTTTGCAG",
    "GGCCAAAAACGTAA",
    "CTGCCTTAAC",
    "GATTAGATCG",
)
FORWARD = "".join(PARTS)
FIRST = 16
"""Of the CDS, 0-based on the forward contig."""


class SplicedGene:
    """The gene on a strand, with or without its untranslated exons."""

    def __init__(self, strand: int, untranslated: bool = True) -> None:
        self.strand = strand
        self.sequence = FORWARD if strand == 1 else reverse_complement_letters(FORWARD)
        cds = tuple(Exon(*self._placed(*place), strand) for place in ((16, 26), (46, 60)))
        exons = tuple(self._placed(*place) for place in ((10, 26), (46, 70)))
        self.contig = Contig(
            name="toy",
            nucleotides=encode_nucleotides(self.sequence),
            source="toy",
            coding_sequences=(CodingSequence(id="t", gene="g", exons=cds),),
        )
        self.transcript = Transcript(
            self.contig.coding_sequences[0], self.sequence, exons if untranslated else None
        )

    def _placed(self, start: int, end: int) -> tuple[int, int]:
        return (start, end) if self.strand == 1 else (len(FORWARD) - end, len(FORWARD) - start)

    def effect(self, at: int, ref: str, alt: str) -> Effect:
        """Of `ref` at a place of the forward contig becoming `alt`, both along the gene."""
        assert FORWARD[at : at + len(ref)] == ref
        start, _ = self._placed(at, at + len(ref))
        if self.strand == -1:
            ref, alt = reverse_complement_letters(ref), reverse_complement_letters(alt)
        change: Change = normal_form(self.sequence, start, ref, alt)
        return effect_on(self.transcript, self.sequence, change)
