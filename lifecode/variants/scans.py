"""Zero-shot scores of protein mutants under a masked model; a model of codons sums over those of a residue.

The mutated places of a mutant are masked together and read from the rest of the wild type; the score is the
sum over them of log P(new residue) - log P(old one). A model of codons reads the CDS of the wild type, which
is the user's, or the protein reverse-translated by the usage of an organism, which the model then reads as
if it were the gene; a score is the mean over several such draws. By `pseudo_likelihood` the whole sequences
are compared instead.
"""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from lifecode.alphabet import AMINO_ACIDS
from lifecode.variants.asking import (
    Question,
    Scoring,
    answered,
    is_read_at_once,
    mean_entropy,
    window_of,
    window_within,
)
from lifecode.variants.pseudo_likelihood import is_unwritten, pseudo_likelihood_scores
from lifecode.variants.reading.scan_files import Scan, Substitution
from lifecode.variants.wild_type import WildType

_ASKED = "scored"
_COLUMNS = pa.schema(
    [
        ("mutant", pa.string()),
        ("input_line", pa.int64()),
        ("score", pa.float64()),
        ("entropy", pa.float64()),
        ("method", pa.string()),
        ("context", pa.string()),
        ("model", pa.string()),
        ("status", pa.string()),
    ]
)


def scan_scores(
    scan: Scan,
    wilds: Sequence[WildType],
    scoring: Scoring,
    checksum: str,
    *,
    journal: Path | None = None,
    on_progress: Callable[[int, int], None] | None = None,
    answers_of: dict[Question, NDArray[np.float32]] | None = None,
) -> pa.Table:
    """One row a mutant: `mutant input_line score entropy method context model status`.

    Args:
        scan: mutants.
        wilds: the wild type, with the model that is asked, in each draw of its codons; scores and entropy are
            means over draws.
        scoring: method and window.
        checksum: of the model.
        journal: as for `asking.answered`.
        on_progress: likewise; by `pseudo_likelihood` it counts sequences.
        answers_of: is filled with log P (1, columns) of each single place that was asked about.
    """
    columns: dict[str, list[Any]] = {
        name: [None] * len(scan.names) for name in ("score", "entropy", "method", "context", "model")
    }
    columns["status"] = [status_of(mutant, wilds, scoring.method) for mutant in scan.mutants]
    columns["score"] = [None if mutant else 0.0 for mutant in scan.mutants]
    owners = [row for row, status in enumerate(columns["status"]) if status == _ASKED]
    wild, mutants = wilds[0], [scan.mutants[row] for row in owners]
    questions = []
    for mutant in mutants:
        places = sorted(one.place for one in mutant)
        questions.append(Question(0, tuple(places), *_span(wild, scoring, places[0], places[-1])))
    asked = {"journal": journal, "about": checksum, "on_progress": on_progress}
    if scoring.method.startswith("pseudo_likelihood"):
        spans = [(question.begin, question.end) for question in questions]
        scores = pseudo_likelihood_scores(wilds, mutants, spans, scoring.method, **asked)
        found = [(score, None) for score in scores]
    else:
        of_each = [question._replace(sequence=draw) for question in questions for draw in range(len(wilds))]
        answers = answered(wild.reader, [one.ids for one in wilds], of_each, _marginal(scoring), **asked)
        if answers_of is not None:
            pairs = zip(of_each, answers, strict=True)
            answers_of |= {one: log_p for one, log_p in pairs if len(one.places) == 1}
        answers = iter(answers)
        found = []
        for mutant, question in zip(mutants, questions, strict=True):
            own = [next(answers) for _ in wilds]
            scores = [_score(mutant, question, wild.residue_log_p(log_p)) for log_p in own]
            found.append((float(np.mean(scores)), float(np.mean([mean_entropy(log_p) for log_p in own]))))
    written = "" if wild.how_written is None else f", {wild.how_written}"
    for row, question, (score, entropy) in zip(owners, questions, found, strict=True):
        if not np.isfinite(score):
            columns["status"][row] = "no_such_residue"
            continue
        columns["score"][row], columns["entropy"][row] = score, entropy
        columns["method"][row], columns["model"][row] = scoring.method, checksum
        columns["context"][row] = (
            f"{wild.unit} {question.begin + 1}-{question.end} of {wild.num_places}{written}"
        )
    return pa.table({"mutant": scan.names, "input_line": scan.lines, **columns}, schema=_COLUMNS)


def _score(mutant: Sequence[Substitution], question: Question, by_residue: NDArray[np.float64]) -> float:
    """Of a mutant, from log P of all residues at its places."""
    score = 0.0
    for one in mutant:
        own = by_residue[question.places.index(one.place)]
        score += own[AMINO_ACIDS.index(one.new)] - own[AMINO_ACIDS.index(one.old)]
    return score


def status_of(mutant: tuple[Substitution, ...], wilds: Sequence[WildType], method: str) -> str:
    """`scored` of a mutant that a model is asked about, or why it is not.

    `wild_type` needs no model. `not_substitutions` names one residue twice, a letter that is none, a
    deletion, an insertion, a frameshift or the stop, or nothing.
    `too_far_apart`: the model does not read all places at once. `no_such_residue`: by `pseudo_likelihood` the
    codon of the new first residue, in any draw, is the alternative start codon that is there already.
    """
    if not mutant:
        return "wild_type"
    places = {one.place for one in mutant}
    letters = {letter for one in mutant for letter in (one.old, one.new)}
    if len(places) < len(mutant) or not letters <= set(AMINO_ACIDS):
        return "not_substitutions"
    if not is_read_at_once(min(places), max(places), wilds[0].reader.longest):
        return "too_far_apart"
    is_whole = method.startswith("pseudo_likelihood")
    return "no_such_residue" if is_whole and is_unwritten(wilds, mutant) else _ASKED


def whole_scan(
    wilds: Sequence[WildType],
    scoring: Scoring,
    checksum: str = "",
    *,
    journal: Path | None = None,
    on_progress: Callable[[int, int], None] | None = None,
    answers_of: Mapping[Question, NDArray[np.float32]] | None = None,
) -> list[NDArray[np.float32]]:
    """log P of all letters at every place (num_places, columns), of each draw; arguments of `scan_scores`.

    What `answers_of` has is not asked again.
    """
    size = wilds[0].num_places
    questions = [
        Question(draw, (i,), *_span(wild, scoring, i, i))
        for draw, wild in enumerate(wilds)
        for i in range(size)
    ]
    ids = [wild.ids for wild in wilds]
    asked = {"journal": journal, "about": checksum, "on_progress": on_progress}
    known = dict(answers_of or {})
    new = [question for question in questions if question not in known]
    known |= zip(new, answered(wilds[0].reader, ids, new, _marginal(scoring), **asked), strict=True)
    found = [known[question] for question in questions]
    return [np.concatenate(found[size * draw : size * (draw + 1)]) for draw in range(len(wilds))]


def _span(wild: WildType, scoring: Scoring, first: int, last: int) -> tuple[int, int]:
    window = window_within(scoring.window_codons, wild.reader.longest)
    return window_of(wild.num_places, first, last, window)


def _marginal(scoring: Scoring) -> str:
    """What is masked; the translator reads what stays behind the same masks."""
    return "masked" if scoring.method == "translator" else scoring.method
