"""Which parts of a transcript a change touches: borders of introns, untranslated exons, stretches of the CDS.

An insertion at the border of an exon counts to what follows on the contig's forward strand.
"""

from lifecode.variants.alleles import Change, reverse_complement_letters
from lifecode.variants.consequence.effect import Edit
from lifecode.variants.transcripts import Transcript

DONOR, REGION_OF_EXON, REGION_OF_INTRON = 2, 3, 8
"""Nucleotides of an intron's ends, of the exon beside it, and of the intron, that decide splicing."""


EXON_WITHOUT_CODONS = "non_coding_transcript_exon_variant"


def terms_without_codons(transcript: Transcript, change: Change, splicing: list[str]) -> tuple[str, ...]:
    """Terms of the parts that a change touches of a transcript that is no CDS, beside those of splicing."""
    start, end = change.start, max(change.end, change.start + 1)
    if any(start < right and end > left for left, right in transcript.exons):
        return (*splicing, EXON_WITHOUT_CODONS)
    return (*(splicing or ["intron_variant"]), "non_coding_transcript_variant")


def splice_terms(transcript: Transcript, change: Change) -> list[str]:
    """Terms of the borders of introns that a change touches."""
    terms = []
    start, end, _ = change
    inserted = start == end
    for left, right, strand in transcript.introns:
        if end < left - REGION_OF_EXON or start > right + REGION_OF_EXON:
            continue
        names = ("splice_donor_variant", "splice_acceptor_variant")
        at_left, at_right = names if strand == 1 else names[::-1]
        if inserted:
            if left <= start < left + DONOR:
                terms.append(at_left)
            elif right - DONOR < start < right:
                terms.append(at_right)
            elif (
                left + DONOR <= start < left + REGION_OF_INTRON
                or right - REGION_OF_INTRON < start <= right - DONOR
                or right <= start <= right + REGION_OF_EXON
                or left - REGION_OF_EXON < start < left
            ):
                terms.append("splice_region_variant")
            continue
        essential = False
        if start < left + DONOR and end > left:
            terms.append(at_left)
            essential = True
        if start < right and end > right - DONOR:
            terms.append(at_right)
            essential = True
        if not essential and (
            (start < left + REGION_OF_INTRON and end > left - REGION_OF_EXON)
            or (start < right + REGION_OF_EXON and end > right - REGION_OF_INTRON)
        ):
            terms.append("splice_region_variant")
    return terms


def edits_of(transcript: Transcript, change: Change) -> list[Edit]:
    """The parts of the CDS that a change touches."""
    start, end, alt = change
    edits = []
    parts = zip(transcript.parts, transcript.part_strands, transcript.part_offsets, strict=True)
    length = transcript.cds_end - transcript.cds_start
    for (left, right), strand, offset in parts:
        letters = (lambda own: own) if strand == 1 else reverse_complement_letters
        if start == end:
            at = offset + (start - left if strand == 1 else right - start)
            if left <= start < right and 0 < at < length:  # not before the first letter or behind the last
                edits.append(Edit(at, 0, letters(alt), True))
        elif start < right and end > left:
            whole = left <= start and end <= right
            first, last = max(start, left), min(end, right)
            at = offset + (first - left if strand == 1 else right - last)
            own = alt
            if not whole:  # of a substitution the letters that lie here, else none
                own = alt[first - start : last - start] if len(alt) == end - start else ""
            edits.append(Edit(at, last - first, letters(own), whole))
    return edits


def outside_terms(transcript: Transcript, change: Change) -> list[str]:
    """Terms of the untranslated exons and the introns that a change touches."""
    start, end, _ = change
    last = max(end, start + 1)
    terms = _untranslated(transcript, start, last)
    if any(start < right and last > left for left, right, _ in transcript.introns):
        terms.append("intron_variant")
    if start == end and not terms:
        terms = _untranslated(transcript, start - 1, start)
    return terms


def _untranslated(transcript: Transcript, start: int, end: int) -> list[str]:
    terms = []
    exons = zip(transcript.exons, transcript.exon_strands, transcript.offsets, strict=True)
    for (left, right), strand, offset in exons:
        if start < right and end > left:
            first, behind = max(start, left), min(end, right)
            one = offset + (first - left if strand == 1 else right - behind)
            other = one + behind - first - 1
            if one < transcript.cds_start:
                terms.append("5_prime_UTR_variant")
            if other >= transcript.cds_end:
                terms.append("3_prime_UTR_variant")
    return terms
