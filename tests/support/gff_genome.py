"""A genome of three genes whose proteins are known, and its annotation in the words of any program."""

import random
from collections.abc import Callable, Sequence
from typing import NamedTuple

from Bio.Seq import Seq

NUM_NUCLEOTIDES = 1674
_STOPS = ("TAA", "TAG", "TGA")


class Gene(NamedTuple):
    """Number, strand, and the exons as a GFF file has them: 1-based, by position, the stop codon included."""

    number: int
    strand: str
    exons: tuple[tuple[int, int], ...]

    @property
    def parts(self) -> list[tuple[int, int, int]]:
        """Start, end and phase of each exon from 5' to 3'."""
        length, parts = 0, []
        for start, end in self.exons if self.strand == "+" else self.exons[::-1]:
            parts.append((start, end, -length % 3))
            length += end - start + 1
        return parts


GENES = (
    Gene(1, "+", ((151, 200), (281, 360), (441, 580))),
    Gene(2, "-", ((731, 810), (891, 973), (1054, 1130))),
    Gene(3, "+", ((1281, 1490),)),
)


def coding(num_codons: int, seed: int, start: str = "ATG", stop: str = "TAA") -> str:
    """A reading frame of so many codons with the stop, none inside."""
    draw = random.Random(seed)
    inner = []
    while len(inner) < num_codons - 2:
        codon = "".join(draw.choices("ACGT", k=3))
        if codon not in _STOPS:
            inner.append(codon)
    return start + "".join(inner) + stop


def genome(genes: Sequence[Gene] = GENES, num_nucleotides: int = NUM_NUCLEOTIDES) -> tuple[str, list[str]]:
    """The sequence, with C between the genes so that no codon there means anything, and the proteins."""
    letters = ["C"] * num_nucleotides
    proteins = []
    for gene in genes:
        length = sum(end - start + 1 for start, end in gene.exons)
        frame = coding(length // 3, gene.number)
        proteins.append(str(Seq(frame).translate()))
        strand = frame if gene.strand == "+" else str(Seq(frame).reverse_complement())
        places = [i for start, end in gene.exons for i in range(start - 1, end)]
        for place, letter in zip(places, strand, strict=True):
            letters[place] = letter
    return "".join(letters), proteins


Attributes = Callable[[Gene, int], str]
"""The ninth column of the n-th part (0-based, from 5' to 3') of a gene."""


def annotated(
    attributes: Attributes,
    above: Callable[[Gene], Sequence[tuple[str, str]]] = lambda gene: (),
    *,
    source: str = "x",
    kind: str | Callable[[Gene, int], str] = "CDS",
    phases: str = "right",
    stop: str = "inside",
    by_position: bool = False,
    genes: Sequence[Gene] = GENES,
) -> str:
    """The lines of an annotation of the genes.

    Args:
        attributes: the ninth column of CDS lines.
        above: kind and ninth column of the lines of genes and transcripts before them.
        source: column 2.
        kind: column 3.
        phases: `right`, or what stands in every line.
        stop: `inside` the CDS, `apart` in lines of its own behind a shorter CDS, `both`, or `absent`.
        by_position: minus strands from left to right.
        genes: what to annotate.
    """
    rows: list[str] = []

    def row(word: str, start: int, end: int, gene: Gene, phase: object, column: str) -> str:
        return "\t".join(map(str, ("ctg1", source, word, start, end, ".", gene.strand, phase, column)))

    for gene in genes:
        rows += [row(k, gene.exons[0][0], gene.exons[-1][1], gene, ".", column) for k, column in above(gene)]
        parts = gene.parts
        last = len(parts) - 1
        start, end, phase = parts[last]
        codon = (end - 2, end) if gene.strand == "+" else (start, start + 2)
        if stop in ("apart", "absent"):
            parts[last] = (start, end - 3, phase) if gene.strand == "+" else (start + 3, end, phase)
        of_gene = [
            row(
                kind if isinstance(kind, str) else kind(gene, i),
                start,
                end,
                gene,
                phase if phases == "right" else phases,
                attributes(gene, i),
            )
            for i, (start, end, phase) in enumerate(parts)
        ]
        if stop in ("apart", "both"):
            of_gene.append(row("stop_codon", *codon, gene, 0, attributes(gene, last)))
        rows += of_gene[::-1] if by_position and gene.strand == "-" else of_gene
    return "".join(line + "\n" for line in rows)
