"""What a masked model expects at places of sequences: each pass is made once, and kept in a journal.

All places that are asked about together are masked together and read from the rest of their sequence in one
pass, so that the variants of one codon share it. `strided:k` masks every k-th place of a sequence at once and
needs k passes for the whole of it; `unmasked` needs one, in which the model sees what it is asked about.

What a batch holds moves the last bits of what a model says. So batches are made before it is looked up which
passes are done, and a command that goes on after a kill gives the bits of one that ran through.
"""

import hashlib
import re
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from lifecode.arguments import fields_checked
from lifecode.data.batches.packing import NUM_SPECIAL_CODONS, consecutive_rows
from lifecode.errors import UserError
from lifecode.models.masked_reading import MaskedReader
from lifecode.variants.journal import Journal

_STRIDE = "[1-9][0-9]{0,5}"
_METHOD = re.compile(
    rf"masked|unmasked|wild_type|strided:{_STRIDE}|translator|pseudo_likelihood(:{_STRIDE})?"
)
_OF_SCANS = ("translator", "pseudo_likelihood")


@fields_checked
@dataclass(frozen=True, slots=True, kw_only=True)
class Scoring:
    """How scores are computed.

    Args:
        method: `masked`, `strided:k` or `unmasked`, which a scan calls `wild_type` too; of scans alone also
            `translator` and `pseudo_likelihood` or `pseudo_likelihood:k`.
        window_codons: at most so many codons of a CDS, or residues of a protein, are read, those around the
            variant; None: all of it.
        window_nucleotides: so many around a substitution outside of a CDS are read; None: no score there.
        quantile: rank each score among all single-nucleotide variants of its CDS (or window), in one unmasked
            pass.

    Raises:
        UserError: there is no such method, or the window is too short.
    """

    method: str = "masked"
    window_codons: int | None = 1024
    window_nucleotides: int | None = 600
    quantile: bool = False

    def __post_init__(self) -> None:
        if not _METHOD.fullmatch(self.method):
            raise UserError(
                f"{self.method!r} is unknown",
                source="method",
                remedy="Choose masked, unmasked or strided:8; of a scan also wild_type, translator, "
                "pseudo_likelihood or pseudo_likelihood:8",
            )
        for key, value, least in (
            ("window_codons", self.window_codons, 2),
            ("window_nucleotides", self.window_nucleotides, 6),
        ):
            if value is not None and value < least:
                raise UserError("is too short", source=key, remedy=f"Give at least {least}, or null")

    @property
    def is_of_scans(self) -> bool:
        """Whether the method speaks of residues, so that only mutants of a protein have such a score."""
        return self.method.startswith(_OF_SCANS)


class Question(NamedTuple):
    """Places of a sequence that are asked about together.

    Attributes:
        sequence: its number among those of the call.
        places: numbers of the codons, residues or nucleotides (0-based), ascending.
        begin, end: what of the sequence is read.
    """

    sequence: int
    places: tuple[int, ...]
    begin: int
    end: int


class _Pass(NamedTuple):
    """Places `begin` to `end` of a sequence with some of them masked."""

    sequence: int
    begin: int
    end: int
    masked: tuple[int, ...]


def answered(
    reader: MaskedReader,
    sequences: Sequence[NDArray[np.uint8]],
    questions: Sequence[Question],
    method: str,
    *,
    journal: Path | None = None,
    about: str = "",
    on_progress: Callable[[int, int], None] | None = None,
) -> list[NDArray[np.float32]]:
    """log P of all letters of a reading at each place of each question: arrays (num_places, columns).

    Args:
        reader: model that is asked.
        sequences: ids, as the reader takes them.
        questions: any; equal passes are made once.
        method: `masked`, `strided:k`, or `unmasked` (`wild_type`).
        journal: file that keeps what is done, so that a later call goes on from it; to be deleted at the end.
        about: name of the model, which the journal is about too.
        on_progress: called with passes done and in all.
    """
    passes: dict[_Pass, set[int]] = defaultdict(set)
    plans: list[list[tuple[_Pass, int]]] = []
    for question in questions:
        plan = []
        for place in question.places:
            key = _Pass(question.sequence, question.begin, question.end, _masked(question, place, method))
            passes[key].add(place)
            plan.append((key, place))
        plans.append(plan)
    keys = sorted(passes)
    known: dict[tuple[_Pass, int], NDArray[np.float32]] = {}
    with ExitStack() as stack:
        book = None
        if journal is not None:
            digest = _digest(f"{about} {reader.name}", sequences, passes)
            book = stack.enter_context(Journal(journal, digest, reader.columns))
            for number, rows in book.entries():
                known |= zip(
                    [(keys[number], place) for place in sorted(passes[keys[number]])], rows, strict=True
                )
        kept = {key for key in keys if (key, min(passes[key])) in known}
        number_of = {key: number for number, key in enumerate(keys)}
        done, size = len(kept), reader.letters_per_place
        for batch in _batches(keys, reader.places_per_call):
            if kept.issuperset(batch):
                continue
            ids = [sequences[key.sequence][size * key.begin : size * key.end] for key in batch]
            masked = [[place - key.begin for place in key.masked] for key in batch]
            read = [[place - key.begin for place in sorted(passes[key])] for key in batch]
            found = reader.log_probabilities(ids, masked, read)
            for key, rows in zip(batch, found, strict=True):
                own = rows.float().cpu().numpy()
                if book is not None and key not in kept:
                    book.add(number_of[key], own)
                known |= zip([(key, place) for place in sorted(passes[key])], own, strict=True)
            done += len(batch) - len(kept.intersection(batch))
            if on_progress is not None:
                on_progress(done, len(keys))
    return [np.stack([known[place] for place in plan]) for plan in plans]


def _digest(about: str, sequences: Sequence[NDArray[np.uint8]], passes: Mapping[_Pass, set[int]]) -> str:
    """One line for what is asked of which model."""
    digest = hashlib.sha256(about.encode())
    for sequence in sequences:
        digest.update(sequence.tobytes() + b"|")
    for key in sorted(passes):
        digest.update(repr((*key, sorted(passes[key]))).encode())
    return digest.hexdigest()


def _masked(question: Question, place: int, method: str) -> tuple[int, ...]:
    if method == "masked":
        return question.places
    if method in ("unmasked", "wild_type"):
        return ()
    stride = int(method.partition(":")[2])
    first = question.begin + (place - question.begin) % stride
    return tuple(range(first, question.end, stride))


def _batches(keys: Sequence[_Pass], places_per_call: int) -> list[list[_Pass]]:
    rows = consecutive_rows([key.end - key.begin + NUM_SPECIAL_CODONS for key in keys], places_per_call)
    return [list(keys[own]) for own in rows]


def window_of(num_places: int, first: int, last: int, window: int | None) -> tuple[int, int]:
    """The places that are read around `first` to `last`: all, or `window` with these in the middle."""
    if window is None or num_places <= window:
        return 0, num_places
    size = max(window, last - first + 1)
    begin = min(max(0, (first + last + 1 - size) // 2), num_places - size)
    return begin, begin + size


def window_within(window: int | None, longest: int | None) -> int | None:
    """The shorter of what is asked for and what a model can read; None where neither is bounded."""
    return min((size for size in (window, longest) if size is not None), default=None)


def is_read_at_once(first: int, last: int, longest: int | None) -> bool:
    """Whether places `first` to `last` fit together into what a model reads at once."""
    return longest is None or last - first < longest


def mean_entropy(log_p: NDArray[np.floating]) -> float:
    """Mean over places of the entropy, in nats, of the letters (n, columns), made a distribution first."""
    wide = log_p.astype(np.float64)
    wide = wide - np.logaddexp.reduce(wide, axis=1, keepdims=True)
    p = np.exp(wide)
    return float(-(p * np.where(p > 0, wide, 0)).sum(axis=1).mean())
