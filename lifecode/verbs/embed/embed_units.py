"""What `lifecode embed` gives one vector to: records, CDS or windows, and where each one lies."""

from collections import Counter
from collections.abc import Iterator
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from lifecode.data.cds.coding_sequence import extract
from lifecode.data.records import CodingSequence, Contig, Exon

UnitKind = Literal["auto", "record", "cds", "window"]


class Unit(NamedTuple):
    """A stretch of a contig that is embedded.

    Attributes:
        id: of the record or CDS, or contig:start-end of a window.
        contig: name of the record it lies on.
        start: first nucleotide on the contig, counted from 0.
        end: behind the last one. A CDS across the origin of a circular contig ends before it starts.
        strand: 1, or -1 for a CDS on the opposite strand.
        nucleotides: ids (n,), 5' to 3', from the first complete codon on.
        protein: residues of a record that is a protein, whose nucleotides only stand for it; else None.
        gene: name of the gene of a CDS as annotated, or nothing.
        gene_id: its locus tag or the ID of its gene, or nothing.
    """

    id: str
    contig: str
    start: int
    end: int
    strand: int
    nucleotides: NDArray[np.uint8]
    protein: str | None = None
    gene: str = ""
    gene_id: str = ""

    def as_record(self) -> Contig:
        """The unit as a record of its own, of which a model reads what it is made for."""
        return Contig(
            name=self.id,
            nucleotides=self.nucleotides,
            source=self.contig,
            molecule="dna" if self.protein is None else "protein",
            coding_sequences=()
            if self.protein is None
            else (CodingSequence(self.id, None, (Exon(0, len(self.nucleotides), 1),), protein=self.protein),),
        )


def units_of(contig: Contig, kind: UnitKind, window_codons: int, skipped: Counter[str]) -> Iterator[Unit]:
    """The units of a contig, in its order.

    Args:
        contig: as read.
        kind: `auto` takes the CDS of a contig that has any, else the record.
        window_codons: length of a window; the last one may be shorter.
        skipped: counts the CDS that cannot be cut out, by reason.
    """
    whole = _protein(contig)
    if kind == "cds" or (kind == "auto" and contig.coding_sequences):
        for cds in contig.coding_sequences:
            if (reason := _problem(cds, contig)) is not None:
                skipped[reason] += 1
                continue
            start, end = _extent(cds)
            strand = cds.exons[0].strand
            nucleotides = extract(cds, contig)[cds.codon_start - 1 :]
            named = cds.gene or "", cds.gene_id or ""
            yield Unit(cds.id, contig.name, start, end, strand, nucleotides, whole, *named)
    elif kind == "window":
        for start, end in windows(len(contig.nucleotides), window_codons):
            name = f"{contig.name}:{start}-{end}"
            protein = None if whole is None else whole[start // 3 : -(-end // 3)]
            yield Unit(name, contig.name, start, end, 1, contig.nucleotides[start:end], protein)
    else:
        yield Unit(contig.name, contig.name, 0, len(contig.nucleotides), 1, contig.nucleotides, whole)


def windows(num_nucleotides: int, window_codons: int) -> Iterator[tuple[int, int]]:
    """Start and end of consecutive windows, the last one as long as what is left."""
    size = 3 * window_codons
    for start in range(0, num_nucleotides, size):
        yield start, min(start + size, num_nucleotides)


def _protein(contig: Contig) -> str | None:
    return contig.coding_sequences[0].protein if contig.molecule == "protein" else None


def _extent(cds: CodingSequence) -> tuple[int, int]:
    """First and last exon along the strand give the ends, also across the origin."""
    first, last = (cds.exons[0], cds.exons[-1]) if cds.exons[0].strand == 1 else (cds.exons[-1], cds.exons[0])
    return first.start, last.end


def _problem(cds: CodingSequence, contig: Contig) -> str | None:
    if cds.location_problem is not None or not cds.exons:
        return "location that cannot be read"
    if any(exon.start < 0 or exon.end > len(contig.nucleotides) for exon in cds.exons):
        return "location beyond the contig"
    length = sum(exon.end - exon.start for exon in cds.exons)
    return "no complete codon" if length - (cds.codon_start - 1) < 3 else None
