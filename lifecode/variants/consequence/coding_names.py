"""HGVS names on the coding sequence: `c.35A>G`, `c.-4del`, `c.*12_*13insT`, `c.88+2T>C`.

By the recommendations of the Human Genome Variation Society (version 21): the description of an insertion or
deletion that could stand in several places is the one furthest 3' on the transcript's strand, also across the
border of an exon; a substitution comes before an inversion, that before a duplication, that before an
insertion. Positions outside of every exon of the transcript are counted on from its ends.
"""

from lifecode.variants.alleles import Change, moved_right, reverse_complement_letters
from lifecode.variants.transcripts import Transcript


def coding_name(transcript: Transcript, sequence: str, change: Change) -> str:
    """The `c.` name of a change; `n.` on a transcript that is no CDS.

    Args:
        transcript: that it is named on.
        sequence: letters of the contig.
        change: left-aligned, as `normal_form` gives it.
    """
    forward = transcript.strand_at(change.start, change.end) == 1
    start, end, alt = moved_right(sequence, change) if forward else change
    ref = sequence[start:end]
    if not ref:
        return transcript.prefix + _insertion(transcript, sequence, start, alt, forward)
    where = _range(transcript, start, end, forward)
    if not alt:
        return f"{transcript.prefix}{where}del"
    if not forward:
        ref, alt = reverse_complement_letters(ref), reverse_complement_letters(alt)
    if len(ref) == len(alt) == 1:
        return f"{transcript.prefix}{where}{ref}>{alt}"
    if len(ref) == len(alt) and alt == reverse_complement_letters(ref):
        return f"{transcript.prefix}{where}inv"
    return f"{transcript.prefix}{where}delins{alt}"


def between(transcript: Transcript, length: int, at: int, forward: bool) -> str:
    """Where letters stand that are inserted before position `at` of a contig: `12_13`."""
    pair = place(transcript, (at - 1) % length), place(transcript, at)  # at 0 of a circle the last nucleotide
    return "_".join(pair if forward else pair[::-1])


def _insertion(transcript: Transcript, sequence: str, at: int, alt: str, forward: bool) -> str:
    """The name of letters that stand before position `at`, furthest 3' already."""
    size = len(alt)
    if forward and at >= size and sequence[at - size : at] == alt:
        return _range(transcript, at - size, at, forward) + "dup"
    if not forward and sequence[at : at + size] == alt:
        return _range(transcript, at, at + size, forward) + "dup"
    inserted = alt if forward else reverse_complement_letters(alt)
    return f"{between(transcript, len(sequence), at, forward)}ins{inserted}"


def _range(transcript: Transcript, start: int, end: int, forward: bool) -> str:
    if end == start + 1:
        return place(transcript, start)
    first, last = (start, end - 1) if forward else (end - 1, start)
    return f"{place(transcript, first)}_{place(transcript, last)}"


def place(transcript: Transcript, position: int) -> str:
    """The `c.` number of a nucleotide of the contig (0-based), with the way into the intron."""
    exons, strands, offsets = transcript.exons, transcript.exon_strands, transcript.offsets
    best: tuple[int, int, int] | None = None
    for number, ((start, end), strand, offset) in enumerate(zip(exons, strands, offsets, strict=True)):
        forward = strand == 1
        if start <= position < end:
            return _numbered(transcript, offset + (position - start if forward else end - 1 - position))
        before = start - position if forward else position - end + 1
        behind = position - end + 1 if forward else start - position
        if before > 0 and (best is None or before < abs(best[0])):
            best = (-before, offset, number)
        # halfway through an intron the upstream exon counts
        if behind > 0 and (best is None or behind <= abs(best[0])):
            best = (behind, offset + end - start - 1, number)
    assert best is not None
    way, along, number = best
    if (way < 0 and number == 0) or (way > 0 and number == len(exons) - 1):
        return _numbered(transcript, along + way)
    return f"{_numbered(transcript, along)}{way:+d}"


def _numbered(transcript: Transcript, along: int) -> str:
    if along < transcript.cds_start:
        return str(along - transcript.cds_start)
    if along >= transcript.cds_end:
        return f"*{along - transcript.cds_end + 1}"
    return str(along - transcript.cds_start + 1)
