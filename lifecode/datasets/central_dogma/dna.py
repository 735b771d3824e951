"""The DNA side of a pair: the gene as it lies on the contig, or its coding sequence alone."""

from dataclasses import dataclass

from lifecode.datasets.central_dogma.genes import Gene
from lifecode.datasets.central_dogma.locus import Locus, Span, locus_of
from lifecode.errors import UserError

TOO_LONG = "too_long"


@dataclass(frozen=True, slots=True, kw_only=True)
class GeneWithFlanks:
    """A gene from its first coding exon to its last, with introns and flanks, on its coding strand.

    Args:
        flank_nucleotides: on either side; a gene nearer to the end of its contig is left out.
        max_nucleotides: longer genes are left out. Python's csv module reads at most 131,072 letters a field.

    Raises:
        UserError: a negative flank, or nothing allowed.
    """

    flank_nucleotides: int = 100
    max_nucleotides: int = 100_000

    def __post_init__(self) -> None:
        if self.flank_nucleotides < 0:
            raise UserError("flank_nucleotides is negative")
        require_positive(self.max_nucleotides)

    def locus(self, gene: Gene) -> Locus | str:
        """The locus, or the reason why there is none."""
        locus = locus_of(gene.cds, gene.contig, self.flank_nucleotides)
        if isinstance(locus, Locus) and len(locus.nucleotides) > self.max_nucleotides:
            return TOO_LONG
        return locus


@dataclass(frozen=True, slots=True, kw_only=True)
class CodingSequenceOnly:
    """The spliced coding sequence with its stop codon: no introns, no flanks.

    Args:
        max_nucleotides: longer ones are left out. Python's csv module reads at most 131,072 letters a field.

    Raises:
        UserError: nothing is allowed.
    """

    max_nucleotides: int = 100_000

    def __post_init__(self) -> None:
        require_positive(self.max_nucleotides)

    def locus(self, gene: Gene) -> Locus | str:
        """The coding sequence as a locus of one exon, or the reason why there is none."""
        nucleotides, exons = gene.pair.nucleotides, gene.cds.exons
        if len(nucleotides) > self.max_nucleotides:
            return TOO_LONG
        start, end = min(exon.start for exon in exons), max(exon.end for exon in exons)
        return Locus(nucleotides, (Span(0, len(nucleotides)),), start, end, exons[0].strand)


def require_positive(max_nucleotides: int) -> None:
    """Raise a `UserError` where no sequence is short enough."""
    if max_nucleotides < 1:
        raise UserError("max_nucleotides is not positive")
