"""What a codon model expects at codons of coding sequences: each pass is made once, and kept in a journal.

All codons that are asked about together are masked together and read from the rest of their CDS in one pass,
so that the variants of one codon share it. `strided:k` masks every k-th codon of a CDS at once and needs k
passes for the whole of it; `unmasked` needs one, in which the model sees what it is asked about.
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

from lifecode.data.batches.packing import NUM_SPECIAL_CODONS, consecutive_rows
from lifecode.errors import UserError
from lifecode.models.life_code.masked import log_probabilities
from lifecode.models.life_code.model import LifeCode
from lifecode.variants.journal import Journal

_METHOD = re.compile(r"masked|unmasked|strided:[1-9][0-9]{0,5}")
_CODONS_A_CALL = 16_384


@dataclass(frozen=True, slots=True, kw_only=True)
class Scoring:
    """How scores are computed.

    Args:
        method: `masked`, `strided:k` or `unmasked`.
        window_codons: at most so many codons of a CDS are read, those around the variant; None: all of it.
        quantile: rank each score among all single-nucleotide variants of its CDS (or window), in one unmasked
            pass.

    Raises:
        UserError: there is no such method, or the window is too short.
    """

    method: str = "masked"
    window_codons: int | None = 1024
    quantile: bool = False

    def __post_init__(self) -> None:
        if not _METHOD.fullmatch(self.method):
            raise UserError(
                f"{self.method!r} is unknown", source="method", remedy="Choose masked, unmasked or strided:8"
            )
        if self.window_codons is not None and self.window_codons < 2:
            raise UserError("is too short", source="window_codons", remedy="Give at least 2 codons, or null")


class Question(NamedTuple):
    """Codons of a CDS that are asked about together.

    Attributes:
        sequence: number of the CDS among those of the call.
        places: numbers of the codons (0-based), ascending.
        begin, end: the codons of the CDS that are read.
    """

    sequence: int
    places: tuple[int, ...]
    begin: int
    end: int


class _Pass(NamedTuple):
    """Codons `begin` to `end` of a CDS with some of them masked."""

    sequence: int
    begin: int
    end: int
    masked: tuple[int, ...]


def answered(
    model: LifeCode,
    sequences: Sequence[NDArray[np.uint8]],
    questions: Sequence[Question],
    method: str,
    *,
    journal: Path | None = None,
    about: str = "",
    on_progress: Callable[[int, int], None] | None = None,
) -> list[NDArray[np.float32]]:
    """log P of the 64 codons at each codon of each question: arrays (num_codons, 64).

    Args:
        model: that is asked.
        sequences: nucleotide ids of whole codons of each CDS.
        questions: any; equal passes are made once.
        method: as for `Scoring`.
        journal: file that keeps what is done, so that a later call goes on from it; to be deleted at the end.
        about: name of the model, which the journal is about too.
        on_progress: called with passes done and in all.
    """
    passes: dict[_Pass, set[int]] = defaultdict(set)
    plans: list[list[tuple[_Pass, int]]] = []
    for question in questions:
        plan = []
        for codon in question.places:
            key = _Pass(question.sequence, question.begin, question.end, _masked(question, codon, method))
            passes[key].add(codon)
            plan.append((key, codon))
        plans.append(plan)
    keys = sorted(passes)
    known: dict[tuple[_Pass, int], NDArray[np.float32]] = {}
    with ExitStack() as stack:
        book = None
        if journal is not None:
            book = stack.enter_context(Journal(journal, _digest(about, sequences, passes)))
            for number, rows in book.entries():
                known |= zip(
                    [(keys[number], codon) for codon in sorted(passes[keys[number]])], rows, strict=True
                )
        todo = [key for key in keys if (key, min(passes[key])) not in known]
        number_of = {key: number for number, key in enumerate(keys)}
        done = len(keys) - len(todo)
        for batch in _batches(todo):
            ids = [sequences[key.sequence][3 * key.begin : 3 * key.end] for key in batch]
            masked = [[codon - key.begin for codon in key.masked] for key in batch]
            read = [[codon - key.begin for codon in sorted(passes[key])] for key in batch]
            found = log_probabilities(model, ids, masked, read, max_codons=_CODONS_A_CALL)
            for key, rows in zip(batch, found, strict=True):
                own = rows.float().cpu().numpy()
                if book is not None:
                    book.add(number_of[key], own)
                known |= zip([(key, codon) for codon in sorted(passes[key])], own, strict=True)
            done += len(batch)
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


def _masked(question: Question, codon: int, method: str) -> tuple[int, ...]:
    if method == "masked":
        return question.places
    if method == "unmasked":
        return ()
    stride = int(method.partition(":")[2])
    first = question.begin + (codon - question.begin) % stride
    return tuple(range(first, question.end, stride))


def _batches(todo: Sequence[_Pass]) -> list[list[_Pass]]:
    """The passes in calls of about `_CODONS_A_CALL` codons."""
    rows = consecutive_rows([key.end - key.begin + NUM_SPECIAL_CODONS for key in todo], _CODONS_A_CALL)
    return [list(todo[own]) for own in rows]


def window_of(num_codons: int, first: int, last: int, window: int | None) -> tuple[int, int]:
    """The codons that are read around `first` to `last`: all, or `window` with these in the middle."""
    if window is None or num_codons <= window:
        return 0, num_codons
    size = max(window, last - first + 1)
    begin = min(max(0, (first + last + 1 - size) // 2), num_codons - size)
    return begin, begin + size
