"""Guesses at masked letters of genes, by models and by statistics of other genes of the same file.

What `kind=masked_codons` and `kind=masked_residues` share: a letter is a codon of the one, a residue of the
other. Some genes of each file are asked about, and statistics are counted on those of its other genes that
resemble none of these.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from lifecode.analyses.analysis import Say, Value
from lifecode.analyses.codon_usage import species_names
from lifecode.analyses.genes import Asked, Gene, asked_and_counted, notes_on_unknown_training, read_genes
from lifecode.analyses.named_model import NamedModel
from lifecode.evaluation.baselines import BothNeighbours, CodonUnigram, InterpolatedNeighbours
from lifecode.report.charts.predictions.contest_charts import sets_of_a_suite

Ids = Sequence[NDArray[np.int64]]
"""Letters (L,) of each gene."""
LogP = list[NDArray[np.float64]]
"""log P (L, letters) of every letter of each gene."""
_NEIGHBOURS, _INTERPOLATED = "both neighbours", "both neighbours, interpolated"


class Letter(NamedTuple):
    """What is masked.

    Attributes:
        name: `codon` or `residue`.
        of: what it is a letter of, in the plural: `genes` or `proteins`.
        alphabet_size: how many there are, 64 or 21.
        ids: of a gene's letters (L,).
        figures: from genes, log P of their letters and the unigram to the columns of the table, of which the
            second is how many nats per letter the guess is better than the unigram.
    """

    name: str
    of: str
    alphabet_size: int
    ids: Callable[[Gene], NDArray[np.int64]]
    figures: Callable[[Sequence[Gene], LogP, CodonUnigram], Sequence[Any]]

    @property
    def unigram(self) -> str:
        """What the guess is called that knows only how often each letter stands in other genes."""
        return f"{self.name} unigram"


class Guessed(NamedTuple):
    """What was guessed of all files.

    Attributes:
        files: their names.
        rows: of a table: who guessed, the file, and figures.
        below: who guessed to nats per letter below the unigram, one per file; without the unigram itself, and
            what interpolation betters.
        roles: of each guess, `model` or `baseline`.
        notes: what was left out.
    """

    files: list[str]
    rows: list[list[Value]]
    below: dict[str, list[float | None]]
    roles: dict[str, str]
    notes: list[str]

    def chart(self, axis: str) -> Figure:
        """A line for each file."""
        return sets_of_a_suite(self.files, self.below, self.roles, axis)


def guesses(
    files: Sequence[str],
    models: Sequence[NamedModel],
    letter: Letter,
    by_model: Mapping[str, Callable[[Asked], LogP]],
    *,
    most: int,
    lengths: tuple[int, int],
    seed: int,
    say: Say,
) -> Guessed:
    """Ask models and statistics about genes of each file.

    Args:
        files: as for `lifecode.read_records`, each with statistics of its own.
        models: who takes part; their training genes are not asked about.
        letter: what is masked.
        by_model: name of each model to what it guesses of the genes that are asked about.
        most: so many genes of each file are asked about.
        lengths: fewest and most letters of these.
        seed: of the draw.
        say: told what is being done.

    Raises:
        UserError: a file that cannot be read or holds too little, or a model that cannot read its genes.
    """
    names, notes = species_names(files), notes_on_unknown_training(models)
    rows: list[list[Value]] = []
    below: dict[str, list[float | None]] = {}
    for name, file in zip(names, files, strict=True):
        say(f"{name}: reading {letter.of}")
        genes, left_out = read_genes(
            file, most=None, min_codons=2, max_codons=1 << 30, seed=seed, proteins=letter.of == "proteins"
        )
        drawn, own = asked_and_counted(genes, models, most=most, lengths=lengths, seed=seed, name=name)
        asked, others = drawn
        notes += [f"{name}: {note}" for note in (*left_out, *own)]
        by_whom: dict[str, LogP] = {}
        for model, guessed in by_model.items():
            say(f"{model}: masking {letter.name}s of {name}")
            by_whom[model] = guessed(drawn)
        counted = [letter.ids(gene) for gene in others]
        unigram = CodonUnigram(counted, letter.alphabet_size)
        by_whom |= _statistics(letter, [letter.ids(gene) for gene in asked], counted, unigram)
        for guess, log_p in by_whom.items():
            figures = letter.figures(asked, log_p, unigram)
            rows.append([guess, name, *figures])
            below.setdefault(guess, []).append(figures[1])
    roles = {guess: "model" if guess in by_model else "baseline" for guess in below}
    shown = {guess: own for guess, own in below.items() if guess not in (letter.unigram, _NEIGHBOURS)}
    return Guessed(names, rows, shown, roles, notes)


def _statistics(letter: Letter, asked: Ids, counted: Ids, unigram: CodonUnigram) -> dict[str, LogP]:
    """What statistics of letters (L,) of some genes say of those of others."""
    found = {letter.unigram: [np.tile(unigram.log_probabilities, (len(ids), 1)) for ids in asked]}
    for name, kind in ((_NEIGHBOURS, BothNeighbours), (_INTERPOLATED, InterpolatedNeighbours)):
        neighbours = kind(counted, letter.alphabet_size)
        found[name] = [neighbours.log_probabilities(ids, np.arange(len(ids))) for ids in asked]
    return found


class Compared(NamedTuple):
    """Columns of a table that hold for letters of any kind."""

    cross_entropy: float
    below_unigram: float
    standard_error: float | None
    right: float


def compared(letters: Ids, log_p: LogP, unigram: CodonUnigram) -> Compared:
    """Figures of guesses at letters (L,); the first of each gene is not asked about.

    Cross-entropy in nats per letter, by how much it is below that of the unigram, the standard error of this
    over genes, and the share of letters that are guessed.
    """
    lost, gained, right = [], [], []
    for ids, table in zip(letters, log_p, strict=True):
        ids, table = ids[1:], table[1:]
        own = -table[np.arange(len(ids)), ids]
        lost.append(own)
        gained.append(-unigram.log_probabilities[ids] - own)
        right.append(table.argmax(1) == ids)
    return Compared(
        float(np.concatenate(lost).mean()),
        float(np.concatenate(gained).mean()),
        _standard_error(gained),
        float(np.concatenate(right).mean()),
    )


def _standard_error(values: Sequence[NDArray[np.float64]]) -> float | None:
    """Of the mean over all values, which are drawn gene by gene; None for one gene."""
    if len(values) < 2:
        return None
    mean = np.concatenate(values).mean()
    off = np.array([(own - mean).sum() for own in values])
    count = len(off)
    return float(np.sqrt((off**2).sum() * count / (count - 1)) / sum(map(len, values)))
