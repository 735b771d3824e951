"""Pre-mRNAs with a label per nucleotide: exon or intron, and splice site or not.

A pre-mRNA here runs from the first coding exon to the last, for a record knows the exons of the CDS and no
others: untranslated regions, with their introns, lie outside.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lifecode.alphabet import decode_nucleotides
from lifecode.datasets.central_dogma.dataset import Dataset, Example
from lifecode.datasets.central_dogma.dna import TOO_LONG, require_positive
from lifecode.datasets.central_dogma.genes import DUPLICATE, Gene, Genes, origin_of
from lifecode.datasets.central_dogma.locus import Locus, locus_of
from lifecode.datasets.central_dogma.ranking import require_shares, splits_by_ties

NONE, ACCEPTOR, DONOR = range(3)
SITES = ("none", "acceptor", "donor")
_NO_INTRON = "no_intron"


def exon_labels(locus: Locus) -> NDArray[np.uint8]:
    """(num_nucleotides,) 1 in an exon, 0 elsewhere."""
    labels = np.zeros(len(locus.nucleotides), dtype=np.uint8)
    for start, end in locus.exons:
        labels[start:end] = 1
    return labels


def splice_labels(locus: Locus) -> NDArray[np.uint8]:
    """(num_nucleotides,) `ACCEPTOR` at the first nucleotide of an exon behind an intron, `DONOR` at the last
    one of an exon before an intron, else `NONE`: SpliceAI's labels. An exon of one nucleotide is a donor.
    """
    labels = np.full(len(locus.nucleotides), NONE, dtype=np.uint8)
    labels[[intron.end for intron in locus.introns]] = ACCEPTOR
    labels[[intron.start - 1 for intron in locus.introns]] = DONOR
    return labels


def loci_with_introns(found: Genes) -> Iterator[tuple[Gene, Locus]]:
    """Each gene with introns, without flanks, each set of exons once; the others are listed in `found`."""
    seen: dict[object, str] = {}
    for gene in found.genes:
        locus = locus_of(gene.cds, gene.contig)
        if not isinstance(locus, Locus):
            found.leave_out(gene.id, locus)
        elif not locus.introns:
            found.leave_out(gene.id, _NO_INTRON)
        elif (first := seen.setdefault((gene.contig.name, locus.place), gene.id)) != gene.id:
            found.leave_out(gene.id, DUPLICATE, f"exons of {first}")
        else:
            yield gene, locus


@dataclass(frozen=True, slots=True, kw_only=True)
class PreMrnas:
    """The task of labelling every nucleotide of a gene with introns.

    Args:
        max_nucleotides: longer ones are left out. Python's csv module reads at most 131,072 letters a field.
        shares: of train, dev and test.

    Raises:
        UserError: a number out of its range.
    """

    max_nucleotides: int = 100_000
    shares: tuple[int, int, int] = (8, 1, 1)

    def __post_init__(self) -> None:
        require_shares(self.shares)
        require_positive(self.max_nucleotides)

    def dataset(self, found: Genes, seed: int) -> Dataset:
        """One example for each verified gene with introns; the others are listed in `found`."""
        examples: list[Example] = []
        for gene, locus in loci_with_introns(found):
            if len(locus.nucleotides) > self.max_nucleotides:
                found.leave_out(gene.id, TOO_LONG, f"{len(locus.nucleotides)} nucleotides")
            else:
                examples.append(_example(gene, locus))
        names, ties = [example.name for example in examples], [example.ties for example in examples]
        splits = splits_by_ties(names, ties, self.shares, seed)
        return Dataset(folder="gene/nucleotide_class", labels=SITES, examples=examples, splits=splits)


def _example(gene: Gene, locus: Locus) -> Example:
    columns = {
        "seq_id": gene.id,
        "seq_type": "gene",
        "seq": decode_nucleotides(locus.nucleotides),
        "regions": "".join("IE"[exon] for exon in exon_labels(locus)),
        "label": "".join(map(str, splice_labels(locus))),
    }
    return Example(columns=columns, kind="pre_mrna", ties=tuple(gene.ties()), origin=origin_of(gene, locus))
