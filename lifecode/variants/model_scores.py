"""Scores of substitutions under a masked codon model: log P(ALT) - log P(REF) at the codons that change.

All codons that a variant touches are masked together and read from the rest of their CDS in one pass, so that
variants of one codon share a pass and `score(ref, alt) = -score(alt, ref)` holds exactly. `strided:k` masks
every k-th codon of a CDS at once and needs k passes for the whole of it; `unmasked` needs one, in which the
model sees what it is asked about.
"""

import hashlib
import re
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from lifecode.alphabet import codon_ids, encode_nucleotides
from lifecode.data.batches.packing import NUM_SPECIAL_CODONS, consecutive_rows
from lifecode.errors import UserError
from lifecode.genetic_code import GeneticCode
from lifecode.models.life_code.masked import log_probabilities
from lifecode.models.life_code.model import LifeCode
from lifecode.variants.annotate import Annotated
from lifecode.variants.journal import Journal
from lifecode.variants.transcripts import Transcript

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
    """Codons `first` to `last` (0-based, inclusive) of the CDS `sequence`, to be read together.

    Attributes:
        sequence: number of the CDS among those of the call.
        begin, end: the codons of it that are read.
    """

    sequence: int
    first: int
    last: int
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
        for codon in range(question.first, question.last + 1):
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
        return tuple(range(question.first, question.last + 1))
    if method == "unmasked":
        return ()
    stride = int(method.partition(":")[2])
    return tuple(i for i in range(question.begin, question.end) if (i - codon) % stride == 0)


def _batches(todo: Sequence[_Pass]) -> list[list[_Pass]]:
    """The passes in calls of about `_CODONS_A_CALL` codons."""
    rows = consecutive_rows([key.end - key.begin + NUM_SPECIAL_CODONS for key in todo], _CODONS_A_CALL)
    return [list(todo[own]) for own in rows]


class Parts(NamedTuple):
    """A score in nats and its two parts, and how open the place was; see docs/scores.md."""

    score: float
    residue: float
    synonymous: float
    entropy: float


def parts_of(
    log_p: NDArray[np.float32], old: NDArray[np.int16], new: NDArray[np.int16], code: GeneticCode
) -> Parts:
    """The score of codons `old` (n,) becoming `new` (n,).

    Args:
        log_p: (n, 64) at these codons.
        old: codon ids.
        new: codon ids.
        code: tells synonyms; a stop is a residue like others.
    """
    log_p = log_p.astype(np.float64)
    place = np.arange(len(old))
    score = float((log_p[place, new] - log_p[place, old]).sum())
    residue_of = code.residues[:64]
    by_residue = [
        np.logaddexp.reduce(np.where(residue_of == residue_of[codons][:, None], log_p, -np.inf), axis=1)
        for codons in (new, old)
    ]
    residue = float((by_residue[0] - by_residue[1]).sum())
    entropy = float(-(np.exp(log_p) * log_p).sum(axis=1).mean())
    return Parts(score, residue, score - residue, entropy)


def window_of(num_codons: int, first: int, last: int, window: int | None) -> tuple[int, int]:
    """The codons that are read around `first` to `last`: all, or `window` with these in the middle."""
    if window is None or num_codons <= window:
        return 0, num_codons
    size = max(window, last - first + 1)
    begin = min(max(0, (first + last + 1 - size) // 2), num_codons - size)
    return begin, begin + size


def scored(
    rows: Sequence[Annotated],
    model: LifeCode,
    scoring: Scoring,
    checksum: str,
    *,
    journal: Path | None = None,
    on_progress: Callable[[int, int], None] | None = None,
) -> dict[str, list[Any]]:
    """Columns of scores for the rows that can have one, null for the others, and a status for each.

    Arguments as for `answered`; `checksum` names the model in its column.
    """
    columns: dict[str, list[Any]] = {
        name: [None] * len(rows)
        for name in ("score", "score_residue", "score_synonymous", "entropy", "quantile")
    }
    columns |= {name: [None] * len(rows) for name in ("method", "context", "model")}
    columns["status"] = [row.effect.status for row in rows]
    number_of: dict[int, int] = {}
    transcripts: list[Transcript] = []
    questions, places = [], []
    for place, row in enumerate(rows):
        effect, transcript = row.effect, row.transcript
        if transcript is None or effect.first_codon < 0 or effect.status != "coding":
            continue
        if id(transcript) not in number_of:
            number_of[id(transcript)] = len(transcripts)
            transcripts.append(transcript)
        last = effect.first_codon + len(effect.old) // 3 - 1
        span = window_of(len(transcript.protein), effect.first_codon, last, scoring.window_codons)
        questions.append(Question(number_of[id(transcript)], effect.first_codon, last, *span))
        places.append(place)
    sequences = [
        encode_nucleotides(one.coding[one.frame : one.frame + 3 * len(one.protein)]) for one in transcripts
    ]
    answers = answered(
        model, sequences, questions, scoring.method, journal=journal, about=checksum, on_progress=on_progress
    )
    ranks = _quantiles(model, sequences, questions, rows, places, transcripts) if scoring.quantile else None
    for number, (place, question, log_p) in enumerate(zip(places, questions, answers, strict=True)):
        effect, transcript = rows[place].effect, transcripts[question.sequence]
        old, new = (codon_ids(encode_nucleotides(letters)) for letters in (effect.old, effect.new))
        values: tuple[Any, ...] = parts_of(log_p, old, new, transcript.code)
        names = ("score", "score_residue", "score_synonymous", "entropy")
        total = len(transcript.protein)
        context = f"codons {question.begin + 1}-{question.end} of {total}"
        named = {"method": scoring.method, "context": context, "model": checksum, "status": "scored"}
        for name, value in (*zip(names, values, strict=True), *named.items()):
            columns[name][place] = value
        if ranks is not None:
            columns["quantile"][place] = ranks[number]
    return columns


def _quantiles(
    model: LifeCode,
    sequences: Sequence[NDArray[np.uint8]],
    questions: Sequence[Question],
    rows: Sequence[Annotated],
    places: Sequence[int],
    transcripts: Sequence[Transcript],
) -> list[float]:
    """The share of single-nucleotide variants of these codons whose unmasked score is lower."""
    spans = sorted({(q.sequence, q.begin, q.end) for q in questions})
    whole = [Question(sequence, begin, end - 1, begin, end) for sequence, begin, end in spans]
    of_span = dict(zip(spans, answered(model, sequences, whole, "unmasked"), strict=True))
    sorted_scores = {
        span: np.sort(all_single_scores(log_p, codon_ids(sequences[span[0]])[span[1] : span[2]]))
        for span, log_p in of_span.items()
    }
    ranks = []
    for question, place in zip(questions, places, strict=True):
        span = (question.sequence, question.begin, question.end)
        log_p = of_span[span][question.first - question.begin : question.last - question.begin + 1]
        effect = rows[place].effect
        old, new = (codon_ids(encode_nucleotides(letters)) for letters in (effect.old, effect.new))
        own = parts_of(log_p, old, new, transcripts[question.sequence].code).score
        others = sorted_scores[span]
        near = (own - 1e-9, own + 1e-9)
        lower, not_higher = (
            np.searchsorted(others, near[0], "left"),
            np.searchsorted(others, near[1], "right"),
        )
        ranks.append(float((lower + not_higher) / (2 * len(others))))
    return ranks


def all_single_scores(log_p: NDArray[np.float32], codons: NDArray[np.int16]) -> NDArray[np.float64]:
    """Scores of the nine single-nucleotide variants of each known codon (9 * n,)."""
    known = np.flatnonzero(codons >= 0)
    own = codons[known].astype(np.int64)
    log_p = log_p[known].astype(np.float64)
    scores = []
    for power in (16, 4, 1):
        letter = own // power % 4
        for step in (1, 2, 3):
            other = own + ((letter + step) % 4 - letter) * power
            scores.append(log_p[np.arange(len(own)), other] - log_p[np.arange(len(own)), own])
    return np.concatenate(scores) if scores else np.zeros(0)
