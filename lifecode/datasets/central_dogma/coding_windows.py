"""Windows of coding sequences in an unknown reading frame, and windows that no gene covers.

A coding window begins at any nucleotide of a verified coding sequence without its introns, on its strand.
An intergenic one lies where neither strand has a CDS, verified or not, or a gene that the file annotates, and
is on a strand that is drawn.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from lifecode.alphabet import UNK, decode_nucleotides, reverse_complement
from lifecode.data.records import Contig, Exon
from lifecode.datasets.central_dogma.dataset import Dataset, Example
from lifecode.datasets.central_dogma.genes import DUPLICATE, Genes, species_of
from lifecode.datasets.central_dogma.ranking import generator, require_shares, splits_by_ties
from lifecode.errors import UserError

INTERGENIC, CODING = 0, 1
LABELS = ("intergenic", "coding")

_SHORTER_THAN_A_WINDOW, _NOT_DRAWN = "shorter_than_a_window", "not_drawn"


@dataclass(frozen=True, slots=True, kw_only=True)
class CodingWindows:
    """The task of telling coding from intergenic sequence, as many windows of either.

    Args:
        window_nucleotides: length of a window.
        away_nucleotides: least distance of an intergenic window from a gene.
        shares: of train, dev and test; windows of one gene, and those between two genes, are in one split.

    Raises:
        UserError: a number out of its range.
    """

    features: ClassVar[tuple[str, ...]] = ("gene", "tRNA", "rRNA", "tmRNA", "ncRNA", "misc_RNA")
    """Kinds of features that an intergenic window stays away from, beside CDS, in files that tell them."""

    window_nucleotides: int = 150
    away_nucleotides: int = 0
    shares: tuple[int, int, int] = (8, 1, 1)

    def __post_init__(self) -> None:
        require_shares(self.shares)
        if self.window_nucleotides < 3:
            raise UserError("window_nucleotides is no number from 3 on")
        if self.away_nucleotides < 0:
            raise UserError("away_nucleotides is negative")

    def dataset(self, found: Genes, seed: int) -> Dataset:
        """One window of each gene and as many between genes; what gives none is listed in `found`."""
        coding = list(self._of_genes(found, seed))
        between = [one for contig in found.contigs.values() for one in self._between_genes(contig, seed)]
        num = min(len(coding), len(between))
        examples = [example for of_kind in (coding, between) for example in _drawn(of_kind, num, found, seed)]
        names, ties = [example.name for example in examples], [example.ties for example in examples]
        splits = splits_by_ties(names, ties, self.shares, seed)
        return Dataset(folder="gene/binary_class", labels=LABELS, examples=examples, splits=splits)

    def _of_genes(self, found: Genes, seed: int) -> Iterator[Example]:
        """A window of every gene that is long enough, each DNA once."""
        taken: set[bytes] = set()
        for gene in found.genes:
            nucleotides = gene.pair.nucleotides
            beyond = len(nucleotides) - self.window_nucleotides + 1
            if beyond < 1:
                found.leave_out(gene.id, _SHORTER_THAN_A_WINDOW, f"{len(nucleotides)} nucleotides")
                continue
            start = int(generator(seed, gene.id, "window").integers(beyond))
            window = nucleotides[start : start + self.window_nucleotides]
            if window.tobytes() in taken:
                found.leave_out(gene.id, DUPLICATE)
                continue
            taken.add(window.tobytes())
            strand = gene.cds.exons[0].strand
            name = f"{gene.id}:{start}"
            origin = _origin(gene.contig, gene.species, start, strand, gene.id)
            yield _example(name, window, CODING, tuple(gene.ties()), origin)

    def _between_genes(self, contig: Contig, seed: int) -> Iterator[Example]:
        """Windows side by side, in the middle of each stretch of known nucleotides that no gene covers."""
        size = self.window_nucleotides
        for left, right in _free_stretches(contig, self.away_nucleotides):
            count = (right - left) // size
            first = left + (right - left - count * size) // 2
            for start in range(first, first + count * size, size):
                strand = int(generator(seed, contig.name, start, "strand").choice([1, -1]))
                piece = contig.nucleotides[start : start + size]
                window = piece if strand == 1 else reverse_complement(piece)
                name = f"{contig.name}:{start}-{start + size}:{'+' if strand == 1 else '-'}"
                ties = ((contig.name, "between", left),)
                origin = _origin(contig, species_of(contig), start, strand, "")
                yield _example(name, window, INTERGENIC, ties, origin)


def _free_stretches(contig: Contig, away: int) -> Iterator[tuple[int, int]]:
    """Start and end of the stretches without a gene and without an ambiguous nucleotide, ascending."""
    if contig.molecule != "dna":  # an mRNA is no place between genes
        return
    covered = contig.nucleotides == UNK
    for one in (*contig.coding_sequences, *contig.features):
        for start, end in _spans(one.exons):
            covered[max(0, start - away) : end + away] = True
    edges = np.flatnonzero(np.diff(np.concatenate([[True], covered, [True]])))
    for start, end in edges.reshape(-1, 2).tolist():
        yield start, end


def _spans(exons: Sequence[Exon]) -> list[tuple[int, int]]:
    """Start and end of a gene, introns included; of each exon where they do not follow on one strand."""
    places = [(exon.start, exon.end) for exon in exons]
    if {exon.strand for exon in exons} == {-1}:
        places.reverse()
    if len({exon.strand for exon in exons}) == 1 and places == sorted(places):
        return [(places[0][0], places[-1][1])]
    return places


def _drawn(examples: list[Example], num: int, found: Genes, seed: int) -> list[Example]:
    """So many of the examples, in their order; the others are left out."""
    order = generator(seed, examples[0].kind if examples else "", "drawn").permutation(len(examples))
    kept = set(order[:num].tolist())
    for number, example in enumerate(examples):
        if number not in kept:
            found.leave_out(example.name, _NOT_DRAWN, "there are fewer of the other label")
    return [example for number, example in enumerate(examples) if number in kept]


def _example(
    name: str, window: NDArray[np.uint8], label: int, ties: tuple, origin: dict[str, str | int]
) -> Example:
    columns = {"seq_id": name, "seq_type": "gene", "seq": decode_nucleotides(window), "label": label}
    return Example(columns=columns, kind=LABELS[label], ties=ties, origin=origin)


def _origin(contig: Contig, species: str, start: int, strand: int, gene: str) -> dict[str, str | int]:
    """`start` is on the contig, or for a coding window on the coding sequence."""
    return {"species": species, "contig": contig.name, "start": start, "strand": strand, "gene": gene}
