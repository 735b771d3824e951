"""What a symbolic ALT such as `<DEL>` does to a transcript that its stretch touches.

Where the record gives the stretch of a deletion, a tandem duplication or an inversion exactly, the letters
that come of it are known, and what is said is what would be said of these. Else the parts that it touches are
named.
"""

from typing import NamedTuple

from lifecode.variants.alleles import Allele, Change, normal_form, reverse_complement_letters, symbol_kind
from lifecode.variants.consequence.coding_names import between, coding_name
from lifecode.variants.consequence.effect import Effect
from lifecode.variants.consequence.effects import effect_on
from lifecode.variants.consequence.regions import (
    edits_of,
    outside_terms,
    splice_terms,
    terms_without_codons,
)
from lifecode.variants.transcripts import Transcript

UNTOUCHED = Effect(("intergenic_variant",), "", status="symbolic")
"""Of a symbol whose stretch touches no transcript."""
_SAME = Effect(("sequence_variant",), "", status="symbolic")
_WHOLE = {"DEL": ("transcript_ablation",), "DUP": ("transcript_amplification",)}
_RESIZED = {"DEL": "feature_truncation", "DUP": "feature_elongation", "INS": "feature_elongation"}
_SAID = {"transcript_ablation", "transcript_amplification", "inframe_deletion", "inframe_insertion"}
_SPLICES = {"DEL", "INS", "BND"}
"""What cannot leave a splice site that it touches as it is; a copy or an inversion of the whole of it can."""
_TANDEM = ("<DUP>", "<DUP:TANDEM>")


class Stretch(NamedTuple):
    """A symbol on its contig.

    Attributes:
        kind: as `symbol_kind` says.
        start: 0-based; of an insertion the letter that it stands before.
        end: behind the last letter; `start` for an insertion.
        exact: whether the record says that it is this stretch, and what becomes of it is known.
        size: of an insertion, in nucleotides, or None.
    """

    kind: str
    start: int
    end: int
    exact: bool = False
    size: int | None = None


def stretch_of(allele: Allele, sequence: str) -> Stretch:
    """The stretch of a symbol, as far left as the same deletion or duplication can stand.

    It is the letter at POS for a breakend, for `*`, and where no END and no SVLEN tells where it ends.
    """
    kind, extent, behind = symbol_kind(allele.alt), allele.extent, allele.position
    if extent is not None and kind == "INS":
        return Stretch(kind, behind, behind, extent.exact, extent.size)
    if extent is None or extent.end is None:
        return Stretch(kind, behind - 1, behind)
    start, end = behind, extent.end
    exact = extent.exact and (kind in ("DEL", "INV") or allele.alt.upper() in _TANDEM)
    while exact and kind != "INV" and start and sequence[start - 1] == sequence[end - 1]:
        start, end = start - 1, end - 1
    return Stretch(kind, start, end, exact)


def structural_effect(transcript: Transcript, sequence: str, stretch: Stretch) -> Effect:
    """The effect of a symbol, without codons, since it has no score.

    Args:
        transcript: one that the stretch touches.
        sequence: letters of the contig.
        stretch: on it.
    """
    kind, start, end, exact, size = stretch
    if kind == "*":
        return _SAME
    letters, turn = sequence[start:end], transcript.turned
    own = (start - turn) % len(sequence) if turn else start
    on_parts = stretch._replace(start=own, end=own + end - start)
    is_whole = all(start <= left and right <= end for left, right in transcript.stretches)
    if exact and kind == "DEL":
        found = effect_on(transcript, sequence, Change(start, end, ""))
    elif exact and kind == "DUP" and _within_a_piece(transcript, on_parts):
        found = effect_on(transcript, sequence, Change(start, start, letters))
    elif exact and kind == "INV" and not is_whole:
        change = normal_form(sequence, start, letters, reverse_complement_letters(letters))
        touched = any(change.start < right and left < change.end for left, right in transcript.stretches)
        found = effect_on(transcript, sequence, change) if touched and change.end > change.start else _SAME
    else:
        terms = _WHOLE.get(kind, ()) if is_whole else ()
        found = Effect(terms or _terms_of_parts(transcript, on_parts), "")
        if exact and kind == "DUP":
            seen = transcript.seen(sequence, Change(start, start, letters))
            found = found._replace(hgvs_c=coding_name(transcript, *seen))
        elif exact and kind == "INS" and size:
            forward = transcript.strand_at(own, own) == 1
            found = found._replace(
                hgvs_c=f"{transcript.prefix}{between(transcript, len(sequence), own, forward)}insN[{size}]"
            )
    terms = found.terms
    if kind in _RESIZED and _in_exon(transcript, on_parts) and not _SAID.intersection(terms):
        terms = (*terms, _RESIZED[kind])
    return Effect(terms, found.hgvs_c, found.hgvs_p, status="symbolic")


def _terms_of_parts(transcript: Transcript, stretch: Stretch) -> tuple[str, ...]:
    """Terms of the parts of a transcript that a stretch touches."""
    kind, start, end, exact, size = stretch
    change = Change(start, end, "N" if kind == "INS" else "")
    splicing = splice_terms(transcript, change) if kind in _SPLICES else []
    if not transcript.is_coding:
        return terms_without_codons(transcript, change, splicing)
    outside = outside_terms(transcript, change)
    terms = splicing + [term for term in outside if not splicing or term != "intron_variant"]
    if edits := edits_of(transcript, change):
        shifts = kind == "INS" and exact and size and size % 3 and len(edits) == 1
        terms.append("frameshift_variant" if shifts else "coding_sequence_variant")
    return tuple(terms) or ("sequence_variant",)


def _within_a_piece(transcript: Transcript, stretch: Stretch) -> bool:
    """Whether a stretch lies within one exon or one intron, where its copy stands beside it."""
    introns = ((left, right) for left, right, _ in transcript.introns)
    return any(left < stretch.start and stretch.end < right for left, right in (*transcript.exons, *introns))


def _in_exon(transcript: Transcript, stretch: Stretch) -> bool:
    last = max(stretch.end, stretch.start + 1)
    return any(stretch.start < right and last > left for left, right in transcript.exons)
