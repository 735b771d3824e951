"""What the gene features of INSDC flat files say of CDS that have no annotated protein to tell by.

A CDS with a protein is judged by its translation; one without counts where its frame is intact, which that of
a pseudogene or of a gene with an open end may be by chance.
"""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import replace

from lifecode.data.formats.insdc.features import Place, Qualifier
from lifecode.data.records import CodingSequence, Exon


def with_flags_of_genes(
    coding_sequences: Iterable[CodingSequence], genes: Iterable[tuple[Iterable[Qualifier], Place]]
) -> tuple[CodingSequence, ...]:
    """The CDS, those without a protein `pseudo` or `partial` where their gene is.

    Args:
        coding_sequences: of a record.
        genes: qualifiers and place of its gene features; read only where a CDS has no protein.
    """
    coding = tuple(coding_sequences)
    if all(cds.protein_source == "annotated" or cds.pseudo or cds.partial for cds in coding):
        return coding
    of_name: defaultdict[str, list[tuple[bool, bool, Place]]] = defaultdict(list)
    for qualifiers, place in genes:
        told = {one.key: one.value or "" for one in qualifiers}
        pseudo, partial = bool({"pseudo", "pseudogene"} & told.keys()), place.partial or "partial" in told
        if (pseudo or partial) and (name := told.get("locus_tag") or told.get("gene")):
            of_name[name].append((pseudo, partial, place))
    return tuple(_flagged(cds, of_name.get(cds.gene_id or "", ())) for cds in coding)


def _flagged(cds: CodingSequence, genes: Iterable[tuple[bool, bool, Place]]) -> CodingSequence:
    if cds.protein_source == "annotated":
        return cds
    for pseudo, partial, place in genes:
        if _overlap(cds.exons, place.exons):
            cds = replace(cds, pseudo=cds.pseudo or pseudo, partial=cds.partial or partial)
    return cds


def _overlap(some: tuple[Exon, ...], others: tuple[Exon, ...]) -> bool:
    return any(
        one.start < other.end and other.start < one.end and one.strand == other.strand
        for one in some
        for other in others
    )
