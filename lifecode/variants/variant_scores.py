"""Scores of substitutions under a masked model: log P(ALT) - log P(REF) at the codons that change, on their
strand; letter by letter outside of the CDS, and for a model that reads no codons.

Since they are masked, what stands there is not seen, and `score(ref, alt) = -score(alt, ref)` holds exactly.
"""

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from lifecode.alphabet import codon_ids, encode_nucleotides
from lifecode.errors import UserError
from lifecode.genetic_code import GeneticCode
from lifecode.models.masked_reading import MaskedModel, MaskedReader
from lifecode.variants.annotate import Annotated
from lifecode.variants.asking import (
    Question,
    Scoring,
    answered,
    is_read_at_once,
    mean_entropy,
    window_of,
    window_within,
)
from lifecode.variants.journal import journal_beside
from lifecode.variants.nucleotide_scores import (
    LetterScore,
    is_dna_substitution,
    letters_spanned,
    scores_on_cds,
    scores_on_dna,
    status_without_score,
)
from lifecode.variants.reading.genome import Genome

SCORES = ("score", "score_residue", "score_synonymous", "entropy", "quantile", "method", "context", "model")
"""Columns that a model fills, beside `status`."""


class CodonScore(NamedTuple):
    """Of a row: what was read, and the columns that say something of it."""

    context: str
    values: dict[str, float]


class Parts(NamedTuple):
    """A score in nats and its two parts, and how open the place was; see docs/scores.md."""

    score: float
    residue: float
    synonymous: float
    entropy: float


def parts_of(
    log_p: NDArray[np.float32],
    old: NDArray[np.int16],
    new: NDArray[np.int16],
    code: GeneticCode,
    residues: tuple[str, str] | None = None,
) -> Parts:
    """The score of codons `old` (n,) becoming `new` (n,).

    A codon that the gene reads in a way of its own, such as the selenocysteine of TGA, is the only one of its
    residue; one that stays the gene's residue, such as M by another start codon, is synonymous.

    Args:
        log_p: (n, 64) at these codons.
        old: codon ids.
        new: codon ids.
        code: tells synonyms; a stop is a residue like others.
        residues: old and new ones (n letters each) as the gene reads them; None: as the code does.
    """
    wide = log_p.astype(np.float64)
    place = np.arange(len(old))
    score = float((wide[place, new] - wide[place, old]).sum())
    residue_of = code.residues[:64]
    by_residue = [
        np.logaddexp.reduce(np.where(residue_of == residue_of[codons][:, None], wide, -np.inf), axis=1)
        for codons in (new, old)
    ]
    if residues is not None:
        alone = np.array(
            [letter != by_code for letter, by_code in zip(residues[0], code.translate(old), strict=True)]
        )
        by_residue[1] = np.where(alone, wide[place, old], by_residue[1])
        stays = np.array([one == other for one, other in zip(*residues, strict=True)])
        by_residue[0] = np.where(stays, by_residue[1], by_residue[0])
    residue = float((by_residue[0] - by_residue[1]).sum())
    return Parts(score, residue, score - residue, mean_entropy(log_p))


def scored(
    rows: Sequence[Annotated],
    genome: Genome,
    model: MaskedModel,
    scoring: Scoring,
    checksum: str,
    *,
    journal: Path | None = None,
    on_progress: Callable[[int, int], None] | None = None,
) -> dict[str, list[Any]]:
    """Columns of scores for the rows that can have one, null for the others, and a status for each.

    Args:
        rows: annotated.
        genome: that they are on.
        model: that is asked: about codons of the CDS, or if its family reads none about single nucleotides.
        scoring: method, windows, quantile.
        checksum: names the model in its column.
        journal: as for `answered`; what is read outside of the CDS, and for ranks, has others beside it.
        on_progress: likewise, for one and then the other.

    Raises:
        UserError: the model reads no DNA, or cannot be asked in this way.
    """
    codons, letters = (model.masked_reader(reading) for reading in ("codon", "nucleotide"))
    _require_answer(codons, letters, scoring)
    columns = _Columns(rows, checksum)
    coding = [i for i, row in enumerate(rows) if row.effect.status == "coding"]
    asked: dict[str, Any] = {"scoring": scoring, "about": checksum, "on_progress": on_progress}
    if codons is not None:
        ask = partial(_on_codons, reader=codons, journal=journal, **asked)
        columns.fill(coding, codons, lambda row: len(row.effect.old) // 3, ask, scoring.method)
    elif letters is not None:
        ask = partial(scores_on_cds, reader=letters, journal=journal, **asked)
        columns.fill(coding, letters, letters_spanned, ask, f"{scoring.method}, {letters.name}")
    if letters is not None and scoring.window_nucleotides is not None:
        dna = [i for i, row in enumerate(rows) if is_dna_substitution(row)]
        ask = partial(scores_on_dna, genome=genome, reader=letters, **asked)
        ask = partial(ask, journal=journal_beside(journal, "outside"))
        columns.fill(dna, letters, letters_spanned, ask, f"{scoring.method}, {letters.name}, 2 strands")
    return columns.by_name


class _Columns:
    """Columns of scores, null where there is none, and of the status.

    Args:
        rows: annotated.
        checksum: of the model.
    """

    def __init__(self, rows: Sequence[Annotated], checksum: str) -> None:
        self._rows, self._checksum = rows, checksum
        self.by_name: dict[str, list[Any]] = {name: [None] * len(rows) for name in SCORES}
        self.by_name["status"] = [status_without_score(row) for row in rows]

    def fill(
        self,
        places: Sequence[int],
        reader: MaskedReader,
        span: Callable[[Annotated], int],
        ask: Callable[[Sequence[Annotated]], Sequence[CodonScore | LetterScore]],
        method: str,
    ) -> None:
        """Scores of the rows at some places, but for those that the model cannot read at once.

        Args:
            places: numbers of the rows.
            reader: that reads them.
            span: from the first to the last letter of a row that it is asked about.
            ask: gives the scores of rows.
            method: as its column has it.
        """
        status, near = self.by_name["status"], []
        for place in places:
            if is_read_at_once(1, span(self._rows[place]), reader.longest):
                near.append(place)
            else:
                status[place] = "too_far_apart"
        for place, found in zip(near, ask([self._rows[i] for i in near]), strict=True):
            about = {"method": method, "context": found.context, "model": self._checksum, "status": "scored"}
            for name, value in {**found.values, **about}.items():
                self.by_name[name][place] = value


def _require_answer(codons: MaskedReader | None, letters: MaskedReader | None, scoring: Scoring) -> None:
    if scoring.is_of_scans:
        raise UserError(
            f"{scoring.method!r} speaks of residues, which is for mutational scans",
            source="method",
            remedy="Choose masked, unmasked or strided:8 for variants of a genome",
        )
    if codons is None and letters is None:
        raise UserError(
            "the model reads neither codons nor nucleotides",
            source="checkpoint",
            remedy="Give a model of DNA; one of proteins scores mutational scans (protein=...)",
        )
    if codons is None and scoring.quantile:
        raise UserError(
            "ranks codons, which this model does not read", source="quantile", remedy="Leave it out"
        )


def _on_codons(
    rows: Sequence[Annotated],
    reader: MaskedReader,
    scoring: Scoring,
    *,
    journal: Path | None,
    about: str,
    on_progress: Callable[[int, int], None] | None,
) -> list[CodonScore]:
    """Scores of rows whose codons are replaced by as many others."""
    number_of: dict[str, int] = {}  # isoforms of one CDS are read once
    questions = []
    window = window_within(scoring.window_codons, reader.longest)
    for row in rows:
        effect, transcript = row.effect, row.transcript
        assert transcript is not None
        number = number_of.setdefault(transcript.whole_codons, len(number_of))
        touched = tuple(range(effect.first_codon, effect.first_codon + len(effect.old) // 3))
        span = window_of(len(transcript.protein), touched[0], touched[-1], window)
        questions.append(Question(number, touched, *span))
    sequences = [encode_nucleotides(codons) for codons in number_of]
    asked: dict[str, Any] = {"about": about, "on_progress": on_progress}
    answers = answered(reader, sequences, questions, scoring.method, journal=journal, **asked)
    ranks = None
    if scoring.quantile:
        asked["journal"] = journal_beside(journal, "quantile")
        ranks = _quantiles(reader, sequences, questions, rows, asked)
    found = []
    for number, (row, question, log_p) in enumerate(zip(rows, questions, answers, strict=True)):
        transcript = row.transcript
        assert transcript is not None
        old, new = (codon_ids(encode_nucleotides(letters)) for letters in (row.effect.old, row.effect.new))
        before, _, after = row.effect.amino_acids.partition("/")
        parts = parts_of(log_p, old, new, transcript.code, (before, after or before))
        values = {
            "score": parts.score,
            "score_residue": parts.residue,
            "score_synonymous": parts.synonymous,
            "entropy": parts.entropy,
        }
        if ranks is not None:
            values["quantile"] = ranks[number]
        total = len(transcript.protein)
        found.append(CodonScore(f"codons {question.begin + 1}-{question.end} of {total}", values))
    return found


def _quantiles(
    reader: MaskedReader,
    sequences: Sequence[NDArray[np.uint8]],
    questions: Sequence[Question],
    rows: Sequence[Annotated],
    asked: Mapping[str, Any],
) -> list[float]:
    """The share of single-nucleotide variants of these codons whose unmasked score is lower.

    Args:
        reader, sequences, questions: as for `answered`.
        rows: of the questions.
        asked: journal and progress, likewise.
    """
    spans = sorted({(q.sequence, q.begin, q.end) for q in questions})
    whole = [Question(sequence, tuple(range(begin, end)), begin, end) for sequence, begin, end in spans]
    of_span = dict(zip(spans, answered(reader, sequences, whole, "unmasked", **asked), strict=True))
    sorted_scores = {
        span: np.sort(all_single_scores(log_p, codon_ids(sequences[span[0]])[span[1] : span[2]]))
        for span, log_p in of_span.items()
    }
    ranks = []
    for question, row in zip(questions, rows, strict=True):
        span = (question.sequence, question.begin, question.end)
        log_p = of_span[span][[codon - question.begin for codon in question.places]]
        old, new = (codon_ids(encode_nucleotides(letters)) for letters in (row.effect.old, row.effect.new))
        own = float(
            (log_p[np.arange(len(old)), new].astype(np.float64) - log_p[np.arange(len(old)), old]).sum()
        )
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
