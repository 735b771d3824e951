"""Scores of substitutions under a codon model: log P(ALT) - log P(REF) at the codons that change, on their
strand.

Since they are masked, what stands there is not seen, and `score(ref, alt) = -score(alt, ref)` holds exactly.
"""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from lifecode.alphabet import codon_ids, encode_nucleotides
from lifecode.genetic_code import GeneticCode
from lifecode.models.life_code.model import LifeCode
from lifecode.variants.annotate import Annotated
from lifecode.variants.asking import Question, Scoring, answered, window_of
from lifecode.variants.transcripts import Transcript


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
    wide = log_p.astype(np.float64)
    place = np.arange(len(old))
    score = float((wide[place, new] - wide[place, old]).sum())
    residue_of = code.residues[:64]
    by_residue = [
        np.logaddexp.reduce(np.where(residue_of == residue_of[codons][:, None], wide, -np.inf), axis=1)
        for codons in (new, old)
    ]
    residue = float((by_residue[0] - by_residue[1]).sum())
    entropy = float(-(np.exp(wide) * wide).sum(axis=1).mean())
    return Parts(score, residue, score - residue, entropy)


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
        touched = tuple(range(effect.first_codon, effect.first_codon + len(effect.old) // 3))
        span = window_of(len(transcript.protein), touched[0], touched[-1], scoring.window_codons)
        questions.append(Question(number_of[id(transcript)], touched, *span))
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
    whole = [Question(sequence, tuple(range(begin, end)), begin, end) for sequence, begin, end in spans]
    of_span = dict(zip(spans, answered(model, sequences, whole, "unmasked"), strict=True))
    sorted_scores = {
        span: np.sort(all_single_scores(log_p, codon_ids(sequences[span[0]])[span[1] : span[2]]))
        for span, log_p in of_span.items()
    }
    ranks = []
    for question, place in zip(questions, places, strict=True):
        span = (question.sequence, question.begin, question.end)
        log_p = of_span[span][[codon - question.begin for codon in question.places]]
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
    wide = log_p[known].astype(np.float64)
    scores = []
    for power in (16, 4, 1):
        letter = own // power % 4
        for step in (1, 2, 3):
            other = own + ((letter + step) % 4 - letter) * power
            scores.append(wide[np.arange(len(own)), other] - wide[np.arange(len(own)), own])
    return np.concatenate(scores) if scores else np.zeros(0)
