"""Scores of substitutions letter by letter: outside of a CDS, and on it for a model that reads no codons.

Outside of a CDS nothing says which strand or frame is read. So a stretch of DNA around the variant is read on
both strands (and, by a model of codons, in all three frames of each), and log P is the mean over these
readings. The letters that change are masked together: `score(ref, alt) = -score(alt, ref)` holds there too.
"""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from lifecode.alphabet import NUCLEOTIDES, encode_nucleotides, reverse_complement
from lifecode.models.masked_reading import MaskedReader
from lifecode.variants.annotate import Annotated
from lifecode.variants.asking import Question, Scoring, answered, mean_entropy, window_of, window_within
from lifecode.variants.reading.genome import Genome

_OUTSIDE = ("outside_cds", "intron", "intergenic")


class LetterScore(NamedTuple):
    """Of a row: a score in nats, how open its places were, and what was read; see docs/scores.md."""

    score: float
    entropy: float
    context: str

    @property
    def values(self) -> dict[str, float]:
        """By their columns."""
        return {"score": self.score, "entropy": self.entropy}


def status_without_score(row: Annotated) -> str:
    """Why a row can have no score whatever is asked, or `not_scored` where it can have one."""
    status = row.effect.status
    if status == "coding":
        return "not_scored"
    if status not in _OUTSIDE:
        return status
    if len(row.ref) != len(row.alt):
        return "indel"
    return "not_scored" if set(row.ref + row.alt) <= set(NUCLEOTIDES) else "ambiguous"


def letters_spanned(row: Annotated) -> int:
    """From the first to the last letter that a substitution changes: on the CDS, else on the contig."""
    on_cds = row.effect.status == "coding"
    old, new = (row.effect.old, row.effect.new) if on_cds else (row.ref, row.alt)
    places = _differing(0, old, new)
    return places[-1] - places[0] + 1


def is_dna_substitution(row: Annotated) -> bool:
    """Whether a row replaces letters outside of the CDS by as many others."""
    return row.effect.status in _OUTSIDE and status_without_score(row) == "not_scored"


def scores_on_dna(
    rows: Sequence[Annotated],
    genome: Genome,
    reader: MaskedReader,
    scoring: Scoring,
    *,
    journal: Path | None = None,
    about: str = "",
    on_progress: Callable[[int, int], None] | None = None,
) -> list[LetterScore]:
    """Of substitutions outside of the CDS, the mean of both strands; arguments as for `answered`."""
    window = window_within(scoring.window_nucleotides, reader.longest)
    contigs = {name: number for number, name in enumerate(dict.fromkeys(row.contig for row in rows))}
    sequences = [
        strand
        for name in contigs
        for strand in (
            genome.references[name].nucleotides,
            reverse_complement(genome.references[name].nucleotides),
        )
    ]
    questions = []
    for row in rows:
        number = 2 * contigs[row.contig]
        length, places = len(sequences[number]), _differing(row.position - 1, row.ref, row.alt)
        begin, end = window_of(length, places[0], places[-1], window)
        back = tuple(length - 1 - place for place in reversed(places))
        questions.append(Question(number, places, begin, end))
        questions.append(Question(number + 1, back, length - end, length - begin))
    found = answered(
        reader, sequences, questions, scoring.method, journal=journal, about=about, on_progress=on_progress
    )
    scores = []
    for row, question, plus, minus in zip(rows, questions[::2], found[::2], found[1::2], strict=True):
        mean = (plus.astype(np.float64) + minus[::-1, ::-1]) / 2
        context = f"nucleotides {question.begin + 1}-{question.end} of {row.contig}"
        scores.append(_letter_score(mean, row.ref, row.alt, context))
    return scores


def scores_on_cds(
    rows: Sequence[Annotated],
    reader: MaskedReader,
    scoring: Scoring,
    *,
    journal: Path | None = None,
    about: str = "",
    on_progress: Callable[[int, int], None] | None = None,
) -> list[LetterScore]:
    """Of rows whose codons are replaced, by letters of the coding strand; arguments as for `answered`."""
    num_codons = scoring.window_codons
    window = window_within(None if num_codons is None else 3 * num_codons, reader.longest)
    number_of: dict[str, int] = {}  # isoforms of one CDS are read once
    questions = []
    for row in rows:
        transcript, effect = row.transcript, row.effect
        assert transcript is not None
        codons = transcript.whole_codons
        number = number_of.setdefault(codons, len(number_of))
        places = _differing(3 * effect.first_codon, effect.old, effect.new)
        questions.append(Question(number, places, *window_of(len(codons), places[0], places[-1], window)))
    sequences = [encode_nucleotides(codons) for codons in number_of]
    found = answered(
        reader, sequences, questions, scoring.method, journal=journal, about=about, on_progress=on_progress
    )
    scores = []
    for row, question, log_p in zip(rows, questions, found, strict=True):
        total = len(sequences[question.sequence])
        context = f"nucleotides {question.begin + 1}-{question.end} of {total}"
        scores.append(_letter_score(log_p.astype(np.float64), row.effect.old, row.effect.new, context))
    return scores


def _differing(first: int, old: str, new: str) -> tuple[int, ...]:
    return tuple(first + i for i, (a, b) in enumerate(zip(old, new, strict=True)) if a != b)


def _letter_score(log_p: NDArray[np.float64], old: str, new: str, context: str) -> LetterScore:
    """From log P (n, 4) at the letters that differ."""
    pairs = [(a, b) for a, b in zip(old, new, strict=True) if a != b]
    score = sum(
        float(own[NUCLEOTIDES.index(b)] - own[NUCLEOTIDES.index(a)])
        for own, (a, b) in zip(log_p, pairs, strict=True)
    )
    return LetterScore(score, mean_entropy(log_p), context)
