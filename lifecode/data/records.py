"""What a sequence file holds: contigs, and on them coding sequences as annotated, before any check.

Every reader yields these; nothing after the readers knows a file format.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Literal, NamedTuple, TypeAlias, TypeVar, dataclass_transform

import numpy as np
from numpy.typing import NDArray

Molecule: TypeAlias = Literal["dna", "rna", "cds", "protein"]
"""What a record is: genomic DNA, a transcript, one coding sequence, or a protein written as codons."""


_T = TypeVar("_T")


@dataclass_transform(frozen_default=True)
def value_class(*, eq: bool = True) -> Callable[[type[_T]], type[_T]]:
    """A dataclass that type checkers hold to be frozen; a frozen one takes three times as long to make."""
    return dataclass(slots=True, eq=eq, unsafe_hash=eq)


class CodeChoice(NamedTuple):
    """Why the CDS of a contig are read by its genetic code.

    Attributes:
        genetic_code: NCBI number.
        because: `key` (the user says so), `transl_table`, `vote` of the annotated proteins, `default`; or
            `organelle`, where nothing says which code it is and its CDS are left out.
        agree: how many proteins translate exactly by the code that won a vote; of a `key`, how many CDS have
            this code by their file too.
        voters: how many proteins there were; of a `key`, how many CDS have a code by their file.
    """

    genetic_code: int
    because: Literal["key", "transl_table", "vote", "default", "organelle"]
    agree: int = 0
    voters: int = 0


class Exon(NamedTuple):
    """One stretch of a feature: 0-based, half-open `[start, end)` on the contig; strand +1 or -1."""

    start: int
    end: int
    strand: int


def span(exons: Sequence[Exon]) -> str:
    """1-based first and last nucleotide, `4..96`, to name what has no name; `?` of no exon."""
    if not exons:
        return "?"
    return f"{min(exon.start for exon in exons) + 1}..{max(exon.end for exon in exons)}"


class Feature(NamedTuple):
    """A feature other than a CDS, as its file annotates it.

    Attributes:
        kind: its key in the feature table of INSDC, such as `tRNA`.
        exons: where it lies, in 5' to 3' order; empty where its location cannot be read.
        pseudo: marked as a pseudogene.
        trans_splicing: its exons come from different transcripts.
        gene: name of the gene, or empty.
        locus_tag: or empty.
    """

    kind: str
    exons: tuple[Exon, ...]
    pseudo: bool = False
    trans_splicing: bool = False
    gene: str = ""
    locus_tag: str = ""


@value_class()
class CodingSequence:
    """A CDS as its file annotates it, right or wrong; `coding_sequence.verify` judges it.

    Attributes:
        id: `protein_id`, else `locus_tag`, else gene or location; unique on its contig.
        gene: gene name, or None.
        exons: in 5' to 3' order of the CDS, whatever their order on the contig; empty where the
            location cannot be read (see `location_problem`).
        codon_start: 1, 2 or 3: the position of the first complete codon.
        genetic_code: NCBI `transl_table`.
        protein: the annotated translation without a stop, or None.
        pseudo: marked as a pseudogene.
        partial: one end lies beyond what was sequenced (`<` or `>` in the location).
        ribosomal_slippage: the ribosome changes frame; the exons may or may not say where.
        trans_splicing: exons come from different transcripts.
        transl_except: raw `transl_except` values, such as `(pos:213..215,aa:Sec)`.
        location_problem: why the exons could not be read, or None.
        protein_source: `annotated`, or `translated` where the format annotates no protein: then an intact
            open reading frame counts, and its translation is the protein.
        gene_id: what the isoforms of one gene share (`locus_tag`, the ID of the gene), or None.
        longer_isoform: id of the isoform that stands for this gene, where only the longest is wanted.
        genetic_code_given: the file itself names the genetic code of this CDS or of its sequence.
        phase_problem: how the phases of the parts contradict their lengths, or None.
        line: 1-based number of its first line in an annotation file, or None.
        start_edited: its first codon may be a start by editing of the RNA, or as an alternative one.
        exception: why its file says that its protein is not what its codons read, such as `RNA editing`.
    """

    id: str
    gene: str | None
    exons: tuple[Exon, ...]
    codon_start: int = 1
    genetic_code: int = 1
    protein: str | None = None
    pseudo: bool = False
    partial: bool = False
    ribosomal_slippage: bool = False
    trans_splicing: bool = False
    transl_except: tuple[str, ...] = ()
    location_problem: str | None = None
    protein_source: Literal["annotated", "translated"] = "annotated"
    gene_id: str | None = None
    longer_isoform: str | None = None
    genetic_code_given: bool = False
    phase_problem: str | None = None
    line: int | None = None
    start_edited: bool = False
    exception: str | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Contig:
    """One nucleotide record of a file.

    Attributes:
        name: accession with version, or the first word of a FASTA header.
        nucleotides: (num_nucleotides,) uint8 ids of `lifecode.alphabet`.
        source: path or name of the file it was read from.
        circular: whether the last nucleotide is followed by the first.
        organism: name as the file gives it, or None.
        taxon: NCBI taxonomy id, or None.
        genetic_code: code of CDS that name none.
        coding_sequences: in file order.
        molecule: `dna` is genomic; an `rna` may carry CDS; a `cds` and a `protein` are one CDS and nothing
            else, and the nucleotides of a `protein` are chosen by codon usage.
        dialect: what the annotation was taken for, such as `GenBank`, or None.
        annotated_as: what its annotation file calls it, where that differs in form from its name, or None.
        organelle: what the file calls it, such as `mitochondrion`; None for a nuclear or bacterial one.
        code_choice: why `genetic_code`, once that is decided.
        chromosome: on which an `rna` or a `cds` lies in the genome, where its file says so.
        lineage: taxa from the root towards the organism, as a flat file names them; their ranks are not said.
        features: those other than CDS that the reader was asked for, in file order.
    """

    name: str
    nucleotides: NDArray[np.uint8] = field(repr=False)
    source: str
    circular: bool = False
    organism: str | None = None
    taxon: int | None = None
    genetic_code: int = 1
    coding_sequences: tuple[CodingSequence, ...] = field(default=(), repr=False)
    molecule: Molecule = "dna"
    dialect: str | None = None
    annotated_as: str | None = None
    organelle: str | None = None
    code_choice: CodeChoice | None = None
    chromosome: str | None = None
    lineage: tuple[str, ...] = ()
    features: tuple[Feature, ...] = field(default=(), repr=False)
