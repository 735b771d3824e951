"""A stop codon that follows a CDS is a part of it, where its file leaves stop codons out and has no protein.

GFF readers do the same with what only they know, the parts of a CDS; see `gff_frames`.
"""

from dataclasses import replace

from lifecode.alphabet import codon_ids
from lifecode.data.cds.coding_sequence import extract
from lifecode.data.cds.rejection import unusable
from lifecode.data.formats.insdc.features import around_origin
from lifecode.data.records import CodingSequence, Contig, Exon
from lifecode.genetic_code import genetic_code


def with_following_stops(contig: Contig) -> Contig:
    """The contig, each CDS of whole codons without a stop at its end longer by the stop codon behind it.

    Args:
        contig: with the genetic code that it is read by.
    """
    if contig.molecule in ("cds", "protein"):
        return contig
    coding = contig.coding_sequences
    if not any(map(_may_grow, coding)):
        return contig
    return replace(contig, coding_sequences=tuple(_longer(cds, contig) for cds in coding))


def _may_grow(cds: CodingSequence) -> bool:
    return cds.protein_source == "translated" and cds.line is None and not cds.transl_except


def _longer(cds: CodingSequence, contig: Contig) -> CodingSequence:
    if not _may_grow(cds) or unusable(cds, contig) is not None:
        return cds
    *before, last = cds.exons
    grown = _grown(last, len(contig.nucleotides), contig.circular)
    longer = replace(cds, exons=(*before, *grown))
    letters = extract(longer, contig) if grown else ()
    if len(letters) % 3 or len(letters) < 6:
        return cds
    ends, follows = genetic_code(cds.genetic_code).stops[codon_ids(letters[-6:])]
    return longer if follows and not ends else cds


def _grown(exon: Exon, length: int, circular: bool) -> tuple[Exon, ...]:
    """The exon with three more nucleotides, in two pieces across an origin; none beyond a linear sequence."""
    start, end, strand = exon
    start, end = (start, end + 3) if strand == 1 else (start - 3, end)
    if start >= 0 and end <= length:
        return (Exon(start, end, strand),)
    if not circular or end - start > length:
        return ()
    return around_origin((Exon(start % length, end + length * (start < 0), strand),), length)
