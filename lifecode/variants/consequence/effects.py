"""What a change does to a transcript that it touches.

Terms are decided on the left-aligned change, as by other programs, unless that lies across the border of an
exon and the same change further right does not.
"""

from lifecode.variants.alleles import Change, moved_right, reverse_complement_letters
from lifecode.variants.consequence import protein_names
from lifecode.variants.consequence.coding_effects import coding_effect, edge_effect
from lifecode.variants.consequence.coding_names import coding_name
from lifecode.variants.consequence.effect import Effect
from lifecode.variants.consequence.regions import edits_of, outside_terms, splice_terms
from lifecode.variants.transcripts import Transcript


def effect_on(transcript: Transcript, sequence: str, change: Change) -> Effect:
    """What a change does to a transcript that it touches.

    Args:
        transcript: any on the contig.
        sequence: letters of the contig.
        change: as `normal_form` gives it.
    """
    sequence, change = transcript.seen(sequence, change)
    name = coding_name(transcript, sequence, change)
    change = _placed(transcript, sequence, change)
    splicing = splice_terms(transcript, change)
    edits = edits_of(transcript, change)
    if len(edits) == 1 and edits[0].whole:
        return coding_effect(transcript, edits[0], tuple(splicing), name)
    outside = outside_terms(transcript, change)
    if splicing:
        outside = [term for term in outside if term != "intron_variant"]
    terms = (*splicing, *outside)
    if not edits:
        in_intron = "intron_variant" in outside or (splicing and not outside)
        status = "intron" if in_intron else "outside_cds"
        return Effect(terms or ("coding_sequence_variant",), name, status=status)
    if len(edits) == 1 and not _in_intron(transcript, change):
        forward = transcript.strand_at(change.start, change.end) == 1
        alt = change.alt if forward else reverse_complement_letters(change.alt)
        beyond = change.end - change.start - edits[0].size
        if (effect := edge_effect(transcript, edits[0], beyond, alt, terms, name)) is not None:
            return effect
    status = "read_twice" if all(edit.whole for edit in edits) else "exon_border"
    return Effect((*terms, "coding_sequence_variant"), name, protein_names.UNKNOWN, status=status)


def _placed(transcript: Transcript, sequence: str, change: Change) -> Change:
    """Where an insertion or deletion is seen: as it is, or further right, where that keeps an exon whole."""
    if (change.start == change.end) == bool(not change.alt) or (change.alt and change.end > change.start):
        return change
    edits = edits_of(transcript, change)
    if len(edits) == 1 and edits[0].whole:
        return change
    across = _across(transcript, change)
    if not across and not _near_intron(transcript, change):
        return change
    moved = moved_right(sequence, change)
    if _across(transcript, moved):
        return change
    return moved if edits_of(transcript, moved) or (across and _in_intron(transcript, moved)) else change


def _near_intron(transcript: Transcript, change: Change) -> bool:
    return any(change.start <= right and change.end >= left for left, right, _ in transcript.introns)


def _in_intron(transcript: Transcript, change: Change) -> bool:
    """Whether a change replaces letters of an intron."""
    return any(change.start < right and change.end > left for left, right, _ in transcript.introns)


def _across(transcript: Transcript, change: Change) -> bool:
    """Whether a change lies across the border of an exon or of the CDS."""
    return any(
        change.start < border < change.end
        for part in (*transcript.parts, *transcript.exons)
        for border in part
    )
