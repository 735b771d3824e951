"""What a change does to a transcript that it touches.

Terms are decided on the left-aligned change, as by other programs, unless that lies across the border of an
exon and the same change further right does not.
"""

from collections.abc import Sequence

from lifecode.variants.alleles import Change, moved_right, reverse_complement_letters
from lifecode.variants.consequence import protein_names
from lifecode.variants.consequence.coding_effects import coding_effect, edge_effect
from lifecode.variants.consequence.coding_names import coding_name
from lifecode.variants.consequence.effect import Effect
from lifecode.variants.consequence.regions import (
    EXON_WITHOUT_CODONS,
    edits_of,
    outside_terms,
    splice_terms,
    terms_without_codons,
)
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
    if not transcript.is_coding:
        return _without_codons(transcript, sequence, change, name)
    if (deleting := _deleting(sequence, change, transcript.parts)) is not None:
        return _without_cds(transcript, sequence, deleting, name)
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
        named_inside = change != (moved := moved_right(sequence, change)) and edits_of(transcript, moved)
        hgvs_p = protein_names.UNKNOWN if named_inside and transcript.strand == 1 else ""
        return Effect(terms or ("coding_sequence_variant",), name, hgvs_p, status=status)
    if len(edits) == 1 and not _in_intron(transcript, change):
        forward = transcript.strand_at(change.start, change.end) == 1
        alt = change.alt if forward else reverse_complement_letters(change.alt)
        beyond = change.end - change.start - edits[0].size
        if (effect := edge_effect(transcript, edits[0], beyond, alt, terms, name)) is not None:
            return effect
    status = "read_twice" if all(edit.whole for edit in edits) else "exon_border"
    return Effect((*terms, "coding_sequence_variant"), name, protein_names.UNKNOWN, status=status)


def _without_codons(transcript: Transcript, sequence: str, change: Change, name: str) -> Effect:
    """The effect on a transcript that is no CDS."""
    if _deleting(sequence, change, transcript.exons) is not None:
        return Effect(("transcript_ablation",), name)
    terms = terms_without_codons(transcript, change, splice_terms(transcript, change))
    return Effect(terms, name, status="outside_cds" if EXON_WITHOUT_CODONS in terms else "intron")


def _deleting(sequence: str, change: Change, stretches: Sequence[tuple[int, int]]) -> Change | None:
    """A change, moved right as far as that takes, that leaves nothing of stretches; None if it is none."""
    low, high = min(start for start, _ in stretches), max(end for _, end in stretches)
    start, end, alt = change
    if end - start < high - low or len(alt) >= end - start:
        return None
    way = max(0, high - end)
    if start + way > low or way > moved_right(sequence, change).start - start:
        return None
    return Change(start + way, end + way, alt)


def _without_cds(transcript: Transcript, sequence: str, change: Change, name: str) -> Effect:
    """The effect of a deletion of all of a CDS, and maybe of all of the transcript."""
    terms = ["transcript_ablation"]
    if _deleting(sequence, change, transcript.exons) is None:
        terms = [*splice_terms(transcript, change), *outside_terms(transcript, change)]
        terms = [term for term in terms if term != "intron_variant"]
        terms += ["start_lost"] if transcript.starts_with_start else []
        terms += ["stop_lost"] if transcript.protein.endswith("*") else []
        terms.append("coding_sequence_variant")
    return Effect(tuple(terms), name, protein_names.NONE_MADE, status="cds_deleted")


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
