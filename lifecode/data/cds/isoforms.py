"""One CDS a gene: the longest of its isoforms that are exact pairs stays, the others say which one it is.

Where none is an exact pair the longest that is whole stays.

They stay in the contig, so that `verify` rejects them by reason and none is lost silently. Isoforms are told
by their gene on one contig; records of their own, such as mRNAs, have none.
"""

from collections import defaultdict
from dataclasses import replace

from lifecode.data.cds.coding_sequence import MAX_AMBIGUOUS_SHARE, ExactPair, verify_all
from lifecode.data.records import CodingSequence, Contig


def with_longest_isoforms(contig: Contig, max_ambiguous_share: float = MAX_AMBIGUOUS_SHARE) -> Contig:
    """The contig with every CDS marked for which another of its gene stands; of equals the first stays.

    Args:
        contig: with the genetic code that it is read by.
        max_ambiguous_share: of the codons of an exact pair.
    """
    genes: defaultdict[str, list[CodingSequence]] = defaultdict(list)
    for cds in contig.coding_sequences:
        if cds.gene_id is not None and not cds.pseudo and not cds.partial:
            genes[cds.gene_id].append(cds)
    several = tuple(cds for isoforms in genes.values() if len(isoforms) > 1 for cds in isoforms)
    verdicts = verify_all(replace(contig, coding_sequences=several), max_ambiguous_share)
    pairs = {id(verdict.coding_sequence) for verdict in verdicts if isinstance(verdict, ExactPair)}
    longest = {
        gene: max(isoforms, key=lambda cds: (id(cds) in pairs, _length(cds)))
        for gene, isoforms in genes.items()
    }
    marked = (_marked(cds, longest.get(cds.gene_id or "")) for cds in contig.coding_sequences)
    return replace(contig, coding_sequences=tuple(marked))


def _marked(cds: CodingSequence, longest: CodingSequence | None) -> CodingSequence:
    return cds if longest is None or longest is cds else replace(cds, longer_isoform=longest.id)


def _length(cds: CodingSequence) -> int:
    return sum(exon.end - exon.start for exon in cds.exons)
