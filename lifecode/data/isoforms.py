"""One CDS a gene: the longest of its isoforms stays, the others say which one stands for them.

They stay in the contig, so that `verify` rejects them by reason and none is lost silently. Isoforms are told
by their gene on one contig; records of their own, such as mRNAs, have none.
"""

from dataclasses import replace

from lifecode.data.records import CodingSequence, Contig


def with_longest_isoforms(contig: Contig) -> Contig:
    """The contig with every CDS marked shorter than another of its gene; of equals the first stays."""
    longest: dict[str, CodingSequence] = {}
    for cds in contig.coding_sequences:
        if cds.gene_id is None or cds.pseudo or cds.partial:
            continue
        best = longest.get(cds.gene_id)
        if best is None or _length(cds) > _length(best):
            longest[cds.gene_id] = cds
    marked = (_marked(cds, longest.get(cds.gene_id or "")) for cds in contig.coding_sequences)
    return replace(contig, coding_sequences=tuple(marked))


def _marked(cds: CodingSequence, longest: CodingSequence | None) -> CodingSequence:
    return cds if longest is None or longest is cds else replace(cds, longer_isoform=longest.id)


def _length(cds: CodingSequence) -> int:
    return sum(exon.end - exon.start for exon in cds.exons)
