"""The verified genes of some contigs, with what ties records of one gene together.

All contigs are in memory: a byte per nucleotide.
"""

from collections import Counter, defaultdict
from collections.abc import Hashable, Iterable, Iterator
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from lifecode.alphabet import STOP
from lifecode.data.cds.coding_sequence import ExactPair, Rejection, verify_all
from lifecode.data.reading.inputs import stem
from lifecode.data.records import CodingSequence, Contig
from lifecode.datasets.central_dogma.locus import Locus, locus_of
from lifecode.errors import UserError
from lifecode.genetic_code import GeneticCode, genetic_code, residue_letters

DUPLICATE = "duplicate"
"""Reason of a gene that would make the examples of an earlier one again."""

_BACK_TRANSLATED = "back_translated"
"""Reason of a protein that was read without its gene."""


@dataclass(frozen=True, eq=False)
class Gene:
    """A CDS that translates exactly to its protein.

    Attributes:
        contig: it lies on.
        pair: the CDS with its nucleotides and residues.
    """

    contig: Contig
    pair: ExactPair

    @property
    def cds(self) -> CodingSequence:
        """The CDS as annotated."""
        return self.pair.coding_sequence

    @property
    def id(self) -> str:
        """`contig:cds`, unique among all genes."""
        return f"{self.contig.name}:{self.cds.id}"

    @property
    def species(self) -> str:
        """As `species_of` its contig."""
        return species_of(self.contig)

    @property
    def genetic_code(self) -> GeneticCode:
        """By which the CDS is translated."""
        return genetic_code(self.cds.genetic_code)

    @cached_property
    def residues(self) -> NDArray[np.uint8]:
        """(num_residues,) index in `AMINO_ACIDS` of each residue, without the stop."""
        ids = self.pair.amino_acids
        return ids[:-1] if ids[-1] == STOP else ids

    @cached_property
    def protein(self) -> str:
        """The protein, without the stop."""
        return residue_letters(self.residues)

    def ties(self) -> Iterator[Hashable]:
        """What no two splits may share: a protein; the name of a gene or an end of an exon on a contig."""
        yield self.protein
        if self.cds.gene:
            yield self.contig.name, self.cds.gene
        for start, end, strand in self.cds.exons:
            yield self.contig.name, strand, "start", start
            yield self.contig.name, strand, "end", end


@dataclass(frozen=True)
class Genes:
    """What contigs hold.

    Attributes:
        contigs: by name, in order.
        genes: the verified ones, in order.
        left_out: (CDS, reason, detail) of everything that came to nothing, here or in a task.
    """

    contigs: dict[str, Contig] = field(default_factory=dict)
    genes: list[Gene] = field(default_factory=list)
    left_out: list[tuple[str, str, str]] = field(default_factory=list)

    def leave_out(self, name: str, reason: str, detail: str = "") -> None:
        """List a CDS, or a part of one, that is in no example."""
        self.left_out.append((name, str(reason), detail))

    def reasons(self) -> Counter[str]:
        """How often each reason was given."""
        return Counter(reason for _, reason, _ in self.left_out)

    def num_with_introns(self) -> int:
        """Verified genes with at least one intron between their coding exons."""
        several = (gene for gene in self.genes if len(gene.cds.exons) > 1)
        loci = (locus_of(gene.cds, gene.contig) for gene in several)
        return sum(isinstance(locus, Locus) and bool(locus.introns) for locus in loci)


def species_of(contig: Contig) -> str:
    """Organism, or the name of the file where it names none."""
    return contig.organism or Path(contig.source).name


def read_genes(contigs: Iterable[Contig]) -> Genes:
    """Verify every CDS of the contigs.

    Raises:
        UserError: two contigs of one name that are the same sequence, or stand in one file.
    """
    found = Genes()
    for contig in _told_apart(list(contigs)):
        found.contigs[contig.name] = contig
        if contig.molecule == "protein":
            found.leave_out(contig.name, _BACK_TRANSLATED, "its codons are chosen, not read")
            continue
        for cds, verdict in zip(contig.coding_sequences, verify_all(contig, 0), strict=True):
            if isinstance(verdict, Rejection):
                found.leave_out(f"{contig.name}:{cds.id}", verdict.reason, verdict.detail)
            else:
                found.genes.append(Gene(contig, verdict))
    return found


def origin_of(gene: Gene, locus: Locus) -> dict[str, str | int]:
    """Place of a locus on its contig, 0-based and half-open, and of the exons on the row's own sequence."""
    return {
        "species": gene.species,
        "contig": gene.contig.name,
        "start": locus.start,
        "end": locus.end,
        "strand": locus.strand,
        "exons": ",".join(f"{start}..{end}" for start, end in locus.exons),
        "genetic_code": gene.cds.genetic_code,
    }


def _told_apart(contigs: list[Contig]) -> Iterator[Contig]:
    """The contigs, those of several genomes that share a name with their file behind it, as in a corpus."""
    alike = Counter(contig.name for contig in contigs)
    sources: dict[str, set[str]] = defaultdict(set)
    first: dict[tuple[str, bytes], Contig] = {}
    for contig in contigs:
        if alike[contig.name] == 1:
            yield contig
            continue
        label = stem(Path(contig.source))
        other = first.setdefault((contig.name, contig.nucleotides.tobytes()), contig)
        if other is not contig or label in sources[contig.name]:
            raise UserError(
                f"the contig name was already used in {other.source}",
                source=contig.source,
                record=contig.name,
                remedy="Give each sequence once, under its own name",
            )
        sources[contig.name].add(label)
        yield replace(contig, name=f"{contig.name}@{label}")
