"""`kind=masked_codons`: how well codons of a species' genes are guessed, beside that species' own statistics.

Some genes are asked about, one codon in `stride` masked at a time until each was. Codon statistics are
counted on the other genes of the same file, but for those that resemble one that is asked about. Genes that
resemble what a model was trained on are never asked about, so that a species which it knows can stand beside
new ones.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from lifecode.analyses.analysis import Analysed, Say, Value
from lifecode.analyses.codon_usage import species_names
from lifecode.analyses.genes import Gene, asked_and_counted, notes_on_unknown_training, read_genes
from lifecode.analyses.named_model import NamedModel
from lifecode.design.masked_codons import strided_log_probabilities
from lifecode.design.synonyms import synonym_family
from lifecode.errors import UserError
from lifecode.evaluation.baselines import BothNeighbours, CodonUnigram, InterpolatedNeighbours
from lifecode.report.charts.contest_charts import sets_of_a_suite
from lifecode.report.page import Drawing

HEADINGS = (
    "model",
    "species",
    "nats",
    "below unigram",
    "error",
    "right",
    "nats if residue known",
    "right if residue known",
    "genes",
    "codons",
)
UNIGRAM, NEIGHBOURS, INTERPOLATED = "codon unigram", "both neighbours", "both neighbours, interpolated"


@dataclass(frozen=True, slots=True, kw_only=True)
class MaskedCodons:
    """Masked codons of genes, a file a species.

    Args:
        genes: so many of each species are asked about.
        min_codons: of a gene that is asked about.
        max_codons: likewise.
        stride: every so many codons one is masked at a time; above 1, so that both neighbours are seen.
    """

    genes: int = 100
    min_codons: int = 50
    max_codons: int = 400
    stride: int = 7

    def __post_init__(self) -> None:
        for name in ("genes", "min_codons", "stride"):
            if getattr(self, name) < 2:
                raise UserError("is less than 2", source=f"kind.{name}")

    def analyse(
        self, input: str | list[str], models: Sequence[NamedModel], *, seed: int, say: Say
    ) -> Analysed:
        """As `Analysis.analyse`; a file of the input is a species."""
        files = [input] if isinstance(input, str) else list(input)
        notes = notes_on_unknown_training(models)
        rows: list[list[Value]] = []
        below: dict[str, list[float | None]] = {}
        names = species_names(files)
        for name, file in zip(names, files, strict=True):
            say(f"{name}: reading genes")
            species, own = self._species(name, file, models, seed)
            notes += [f"{name}: {note}" for note in own]
            for guess, log_p in self._guesses(species, models, say, name).items():
                found = figures(species.asked, log_p, species.unigram)
                rows.append([guess, name, *found])
                below.setdefault(guess, []).append(found.below_unigram)
        roles = {guess: "model" if guess in {one.name for one in models} else "baseline" for guess in below}
        shown = {guess: values for guess, values in below.items() if guess not in (UNIGRAM, NEIGHBOURS)}
        return Analysed(
            kind="masked_codons",
            verdict=f"{len(names)} species, up to {self.genes} genes each, one codon in {self.stride} masked",
            headings=HEADINGS,
            rows=rows,
            drawing=Drawing(
                sets_of_a_suite(names, shown, roles, "nats below the codon unigram of the species"),
                "Masked codons",
                "A line for each species: by how many nats a codon each guess is better than how often "
                "each codon stands in other genes of that species.",
            ),
            how_to_read=(
                "`nats` is the cross-entropy over 64 codons, lower is better; `below unigram` is how much "
                "lower it is than that of the codon unigram, and `error` the standard error of that over "
                "genes: above 0 a guess knows more than the species' codon usage. `right` is the share of "
                "codons that are guessed. Where the residue is known, only its synonyms are weighed, at "
                "codons that have any; the unigram then guesses the commonest. All statistics are counted "
                "on other genes of the same species."
            ),
            notes=notes,
        )

    def _species(
        self, name: str, file: str, models: Sequence[NamedModel], seed: int
    ) -> tuple["_Species", list[str]]:
        genes, notes = read_genes(file, most=None, min_codons=2, max_codons=1 << 30, seed=seed)
        lengths = self.min_codons, self.max_codons
        found, own = asked_and_counted(genes, models, most=self.genes, lengths=lengths, seed=seed, name=name)
        others = [gene.codons for gene in found.others]
        return _Species(found.genes, others, CodonUnigram(others)), [*notes, *own]

    def _guesses(
        self, species: "_Species", models: Sequence[NamedModel], say: Say, name: str
    ) -> Mapping[str, list[NDArray[np.float64]]]:
        """log P (L, 64) of every codon of each gene that is asked about, by who guesses."""
        codons = [gene.codons for gene in species.asked]
        found: dict[str, list[NDArray[np.float64]]] = {}
        for one in models:
            say(f"{one.name}: masking codons of {name}")
            found[one.name] = strided_log_probabilities(one.model, codons, self.stride)
        found[UNIGRAM] = [np.tile(species.unigram.log_probabilities, (len(gene), 1)) for gene in codons]
        for guess, kind in ((NEIGHBOURS, BothNeighbours), (INTERPOLATED, InterpolatedNeighbours)):
            neighbours = kind(species.others)
            found[guess] = [neighbours.log_probabilities(gene, np.arange(len(gene))) for gene in codons]
        return found


class _Species(NamedTuple):
    """Genes that are asked about, codon ids (L,) of the others, and how often each codon stands in these."""

    asked: list[Gene]
    others: list[NDArray[np.int64]]
    unigram: CodonUnigram


class Figures(NamedTuple):
    """What the columns of the table from `nats` on say, in their order."""

    cross_entropy: float
    below_unigram: float
    standard_error: float | None
    right: float
    cross_entropy_among: float | None
    right_among: float | None
    genes: int
    codons: int


def figures(genes: Sequence[Gene], log_p: Sequence[NDArray[np.float64]], unigram: CodonUnigram) -> Figures:
    """Figures of guesses log P (L, 64) at the codons of genes; the first codon of each is not asked about."""
    lost, gained, right, lost_among, right_among = [], [], [], [], []
    for gene, table in zip(genes, log_p, strict=True):
        codons, table = gene.codons[1:], table[1:]
        row = np.arange(len(codons))
        own = -table[row, codons]
        lost.append(own)
        gained.append(-unigram.log_probabilities[codons] - own)
        right.append(table.argmax(1) == codons)
        family = synonym_family(gene.genetic_code)
        alike = family[codons][:, None] == family
        several = alike.sum(1) > 1
        among = np.where(alike, table, -np.inf)
        lost_among.append((np.logaddexp.reduce(among, axis=1) + own)[several])
        right_among.append((among.argmax(1) == codons)[several])
    return Figures(
        float(np.concatenate(lost).mean()),
        float(np.concatenate(gained).mean()),
        standard_error(gained),
        float(np.concatenate(right).mean()),
        _mean(lost_among),
        _mean(right_among),
        len(genes),
        sum(map(len, lost)),
    )


def _mean(values: Sequence[NDArray]) -> float | None:
    joined = np.concatenate(values)
    return float(joined.mean()) if len(joined) else None


def standard_error(values: Sequence[NDArray[np.float64]]) -> float | None:
    """Of the mean over all values, which are drawn gene by gene; None for one gene."""
    if len(values) < 2:
        return None
    mean = np.concatenate(values).mean()
    off = np.array([(own - mean).sum() for own in values])
    count = len(off)
    return float(np.sqrt((off**2).sum() * count / (count - 1)) / sum(map(len, values)))
