"""What a model says of sequences: each codon masked, in windows of what is long, batch by batch.

The model is asked as `lifecode score` asks it. A batch that is done is kept in a file beside the output, so a
command that was killed goes on behind it.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.special import logsumexp

from lifecode.alphabet import codon_ids
from lifecode.models.life_code.model import LifeCode
from lifecode.tracks.codon_sequences import CodonSequence
from lifecode.tracks.settings import TrackSettings
from lifecode.variants.asking import Question, answered
from lifecode.variants.journal import Journal

_CODONS_A_BATCH = 1_000_000
"""That the model reads between two looks at the clock."""


class Window(NamedTuple):
    """Codons `begin` to `end` are read to ask about `first` to `last`."""

    begin: int
    end: int
    first: int
    last: int


def windows(num_codons: int, window: int | None) -> list[Window]:
    """Windows over a sequence, each overlapping the next by a quarter; the border is in its middle.

    The last one ends with the sequence, so it may overlap more.
    """
    if window is None or num_codons <= window:
        return [Window(0, num_codons, 0, num_codons)]
    begins = [*range(0, num_codons - window, window - window // 4), num_codons - window]
    borders = [0, *((one + window + other + 1) // 2 for one, other in pairwise(begins)), num_codons]
    return [
        Window(begin, begin + window, first, last)
        for begin, (first, last) in zip(begins, pairwise(borders), strict=True)
    ]


def _questions_of(wanted: Sequence[NDArray[np.bool_]], settings: TrackSettings) -> Iterator[Question]:
    """One for each window, or for each codon where they are masked one at a time.

    Args:
        wanted: (num_codons,) of each sequence.
        settings: method and window.
    """
    for number, own in enumerate(wanted):
        for begin, end, first, last in windows(len(own), settings.window_codons):
            places = (np.flatnonzero(own[first:last]) + first).tolist()
            if settings.method == "masked":
                yield from (Question(number, (place,), begin, end) for place in places)
            elif places:
                yield Question(number, tuple(places), begin, end)


class Asked:
    """Asks a model about one contig after another; a context manager.

    Args:
        model: that is asked.
        settings: what about.
        journal: file that keeps what is done; None keeps nothing.
        about: one line that names input, model and settings.
        on_progress: called with the codons that were asked about, in all contigs so far.
    """

    def __init__(
        self,
        model: LifeCode,
        settings: TrackSettings,
        *,
        journal: Path | None = None,
        about: str = "",
        on_progress: Callable[[int, int], None] | None = None,
    ) -> None:
        self._settings, self._on_progress = settings, on_progress
        reader = model.masked_reader("codon")
        assert reader is not None  # which every model of codons has
        self._reader = reader
        self._stack, self._journal = ExitStack(), None
        self._batch = self._done = self._kept = 0
        self._entries: Iterator[tuple[int, NDArray[np.float32]]] = iter(())
        if journal is not None:
            width = 3 if settings.unit == "nucleotide" else 1
            self._journal = self._stack.enter_context(Journal(journal, about, width))
            self._entries = self._journal.entries()

    def __enter__(self) -> "Asked":
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def values(
        self, sequences: Sequence[CodonSequence], wanted: Sequence[NDArray[np.bool_]]
    ) -> list[NDArray[np.float32]]:
        """(num_codons, 1), or (num_codons, 3) by nucleotide, of each sequence; NaN where none is wanted.

        `wanted` is as for `_questions_of`; contigs have to come in the same order in every sitting.
        """
        width = 3 if self._settings.unit == "nucleotide" else 1
        found = [np.full((len(own), width), np.nan, np.float32) for own in wanted]
        for batch in self._batches(_questions_of(wanted, self._settings)):
            rows = self._rows(sequences, batch)
            ends = np.cumsum([len(question.places) for question in batch])[:-1]
            for question, own in zip(batch, np.split(rows, ends), strict=True):
                found[question.sequence][list(question.places)] = own
        return found

    def _batches(self, questions: Iterator[Question]) -> Iterator[list[Question]]:
        batch, cost = [], 0
        for question in questions:
            batch.append(question)
            cost += self._passes(question) * (question.end - question.begin)
            if cost >= _CODONS_A_BATCH:
                yield batch
                batch, cost = [], 0
        if batch:
            yield batch

    def _passes(self, question: Question) -> int:
        stride = self._settings.method.partition(":")[2]
        return min(int(stride or 1), len(question.places))

    def _rows(self, sequences: Sequence[CodonSequence], batch: Sequence[Question]) -> NDArray[np.float32]:
        """Values (n, width) of all places of a batch, from the file or from the model."""
        _, rows = next(self._entries, (0, None))
        if rows is None:
            used = sorted({question.sequence for question in batch})
            number_of = {number: i for i, number in enumerate(used)}
            asked = [question._replace(sequence=number_of[question.sequence]) for question in batch]
            ids = [sequences[number].ids for number in used]
            answers = answered(self._reader, ids, asked, self._settings.method)
            rows = np.concatenate(
                [
                    _values(log_p, ids[question.sequence], question.places, self._settings)
                    for question, log_p in zip(asked, answers, strict=True)
                ]
            )
            if self._journal is not None:
                self._journal.add(self._batch, rows)
        else:
            self._kept += len(rows)
        self._batch += 1
        self._done += len(rows)
        if self._on_progress is not None:
            self._on_progress(self._done, self._kept)
        return rows


def _values(
    log_p: NDArray[np.float32], ids: NDArray[np.uint8], places: Sequence[int], settings: TrackSettings
) -> NDArray[np.float32]:
    """(n, width) surprisal or entropy in nats.

    Args:
        log_p: (n, 64) at the places.
        ids: of the whole sequence.
        places: numbers of its codons.
        settings: quantity and unit.
    """
    wide = log_p.astype(np.float64)
    letters = ids.reshape(-1, 3)[list(places)]
    if settings.unit == "nucleotide":
        cube = wide.reshape(-1, 4, 4, 4)
        others = ((2, 3), (1, 3), (1, 2))
        wide = np.stack([np.asarray(logsumexp(cube, axis=axes)) for axes in others], axis=1)
        there = letters
    else:
        wide, there = wide[:, None], codon_ids(letters.ravel())[:, None]
    if settings.quantity == "entropy":
        return (-(np.exp(wide) * wide).sum(axis=-1)).astype(np.float32)
    index = there.astype(np.int64)[..., None]
    return (-np.take_along_axis(wide, index, axis=-1)[..., 0]).astype(np.float32)
