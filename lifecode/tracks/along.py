"""From contigs to tracks: what is read, what the model says of it, and the runs that a browser shows."""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from lifecode.alphabet import codon_ids
from lifecode.data.records import Contig
from lifecode.errors import UserError
from lifecode.tracks.asked import Asked
from lifecode.tracks.coding_potential import coding_potential, log_composition
from lifecode.tracks.codon_sequences import (
    ONE_TRACK,
    SIX_FRAMES,
    STRANDS,
    CodonSequence,
    annotated_sequences,
    six_frames,
    why_not_shown,
)
from lifecode.tracks.region import Region
from lifecode.tracks.runs import Runs, clipped, runs_of
from lifecode.tracks.settings import TrackSettings


class Scope(NamedTuple):
    """What is going to be asked.

    Attributes:
        contigs: of which tracks are made, in the order of the input.
        names: of the tracks.
        left_out: coding sequences that are not read, by reason.
        num_codons: that the model is asked about.
    """

    contigs: list[Contig]
    names: tuple[str, ...]
    left_out: Counter[str]
    num_codons: int


def scope_of(contigs: Sequence[Contig], settings: TrackSettings, region: Region | None) -> Scope:
    """What there is to ask about.

    Raises:
        UserError: there is nothing.
    """
    own = [contig for contig in contigs if region is None or contig.name == region.contig]
    as_cds = _reads_cds(contigs, settings)
    if not as_cds:
        names = SIX_FRAMES
    else:
        names = (ONE_TRACK,) if settings.strands == "together" else tuple(STRANDS.values())
    left_out: Counter[str] = Counter()
    total = 0
    for contig in own:
        sequences = _sequences(contig, as_cds, settings, region, left_out)
        total += sum(int(_wanted(sequence, settings, region).sum()) for sequence in sequences)
    if settings.frames == "auto" and settings.quantity != "coding_potential" and not as_cds:
        reasons = (why_not_shown(cds, contig) for contig in own for cds in contig.coding_sequences)
        left_out.update(reason for reason in reasons if reason is not None)
    if not total:
        reasons = ", ".join(f"{count:,} left out: {reason}" for reason, count in left_out.items())
        what = "coding sequence" if as_cds else "known codon"
        raise UserError(
            f"no {what} in {region or 'the input'}" + (f" ({reasons})" if reasons else ""),
            source=contigs[0].source,
            remedy="Say frames=all to read six frames" if as_cds else "Give DNA with known nucleotides",
        )
    return Scope(own, names, left_out, total)


def _reads_cds(contigs: Sequence[Contig], settings: TrackSettings) -> bool:
    """Whether coding sequences are read, and not six frames."""
    if settings.quantity == "coding_potential" or settings.frames == "all":
        return False
    if settings.frames == "cds":
        return True
    return any(why_not_shown(cds, contig) is None for contig in contigs for cds in contig.coding_sequences)


def tracks_along(
    contigs: Sequence[Contig], scope: Scope, asked: Asked, settings: TrackSettings, region: Region | None
) -> dict[str, list[tuple[str, Runs]]]:
    """The runs of each track, contig by contig.

    Args:
        contigs: the whole genome, whose composition is the background of a coding potential.
        scope: of what is asked.
        asked: the model.
        settings: what about.
        region: that values are kept of.
    """
    is_potential = settings.quantity == "coding_potential"
    log_q = log_composition(contigs) if is_potential else np.zeros(4)
    as_cds = scope.names != SIX_FRAMES
    tracks: dict[str, list[tuple[str, Runs]]] = {name: [] for name in scope.names}
    for contig in scope.contigs:
        sequences = list(_sequences(contig, as_cds, settings, region, Counter()))
        values = asked.values(sequences, [_wanted(sequence, settings, region) for sequence in sequences])
        on_track: dict[str, list[tuple[NDArray[np.int32], NDArray[np.float32]]]] = {}
        for sequence, own in zip(sequences, values, strict=True):
            if is_potential:
                own = coding_potential(own[:, 0], sequence.ids, log_q, settings.smooth_codons)[:, None]
            by_nucleotide = np.broadcast_to(own, (len(own), 3)).ravel()
            on_track.setdefault(sequence.track, []).append((sequence.places, by_nucleotide))
        for name, pieces in on_track.items():
            runs = runs_of(*(np.concatenate(column) for column in zip(*pieces, strict=True)))
            if region is not None:
                runs = clipped(runs, region.start, region.end)
            tracks[name].append((contig.name, runs))
    return tracks


def _sequences(
    contig: Contig, as_cds: bool, settings: TrackSettings, region: Region | None, left_out: Counter[str]
) -> Iterator[CodonSequence]:
    """Six frames, or the coding sequences that reach into the region."""
    if not as_cds:
        return six_frames(contig)
    if region is not None:
        touching = (
            cds
            for cds in contig.coding_sequences
            if any(start < region.end and end > region.start for start, end, _ in cds.exons)
        )
        contig = replace(contig, coding_sequences=tuple(touching))
    return annotated_sequences(contig, settings.strands, left_out)


def _wanted(sequence: CodonSequence, settings: TrackSettings, region: Region | None) -> NDArray[np.bool_]:
    """(num_codons,) known ones that the region needs: for a coding potential also half a window around it."""
    known = codon_ids(sequence.ids) >= 0
    if region is None:
        return known
    is_potential = settings.quantity == "coding_potential"
    around = 3 * (settings.smooth_codons // 2) + 2 if is_potential else 0
    inside = (sequence.places >= region.start - around) & (sequence.places < region.end + around)
    return known & inside.reshape(-1, 3).any(axis=1)


def told_progress(
    say: Callable[[str], None], total: int, clock: Callable[[], float]
) -> Callable[[int, int], None]:
    """What says how far it is and how long it will take, from the codons done and those of them kept before.

    Args:
        say: shows a line.
        total: codons.
        clock: seconds.
    """
    began = clock()

    def told(done: int, kept: int) -> None:
        line = f"{done:,} of {total:,} codons, {100 * done // total} %"
        if done > kept:
            seconds = round((clock() - began) * (total - done) / (done - kept))
            line += f", {seconds // 3600}:{seconds // 60 % 60:02}:{seconds % 60:02} left"
        say(line)

    return told
