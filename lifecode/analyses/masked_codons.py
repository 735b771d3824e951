"""`kind=masked_codons`: how well codons of a species' genes are guessed, beside that species' own statistics.

Some genes are asked about, one codon in `stride` masked at a time until each was. Codon statistics are
counted on the other genes of the same file, but for those that resemble one that is asked about. Genes that
resemble what a model was trained on are never asked about, so that a species which it knows can stand beside
new ones. With other genes of the species around a gene, a model shows how much of the species it learns from
them as it reads, as statistics learn from them by counting.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from lifecode.alphabet import NUM_CODONS
from lifecode.analyses.analysis import Analysed, Say
from lifecode.analyses.genes import Asked, Gene
from lifecode.analyses.guesses import Letter, LogP, compared, guesses
from lifecode.analyses.named_model import NamedModel
from lifecode.design.masked_codons import Context, strided_log_probabilities
from lifecode.design.synonyms import synonym_family
from lifecode.errors import require_at_least
from lifecode.evaluation.baselines import CodonUnigram
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


@dataclass(frozen=True, slots=True, kw_only=True)
class MaskedCodons:
    """Masked codons of genes, a file a species.

    Args:
        genes: so many of each species are asked about.
        min_codons: of a gene that is asked about.
        max_codons: likewise.
        stride: every so many codons one is masked at a time; above 1, so that both neighbours are seen.
        context_codons: above 0, each model reads every gene once more, between so many codons of the counted
            genes on either side, drawn for each gene.
    """

    genes: int = 100
    min_codons: int = 50
    max_codons: int = 400
    stride: int = 7
    context_codons: int = 0

    def __post_init__(self) -> None:
        require_at_least(2, self, "genes", "min_codons", "stride", within="kind")
        require_at_least(0, self, "context_codons", within="kind")

    def analyse(
        self, input: str | list[str], models: Sequence[NamedModel], *, seed: int, say: Say
    ) -> Analysed:
        """As `Analysis.analyse`; a file of the input is a species."""
        files = [input] if isinstance(input, str) else list(input)
        found = guesses(
            files,
            models,
            Letter("codon", "genes", NUM_CODONS, lambda gene: gene.codons, figures),
            {
                one.name + suffix: partial(self._expected, one, context_codons, seed)
                for one in models
                for suffix, context_codons in self._readings().items()
            },
            most=self.genes,
            lengths=(self.min_codons, self.max_codons),
            seed=seed,
            say=say,
        )
        return Analysed(
            kind="masked_codons",
            verdict=f"{len(files)} species, up to {self.genes} genes each, one codon in {self.stride} masked",
            headings=HEADINGS,
            rows=found.rows,
            drawing=Drawing(
                found.chart("nats below the codon unigram of the species"),
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
                "on other genes of the same species; `among genes` says that a model has read some of "
                "these with each gene."
            ),
            notes=found.notes,
        )

    def _readings(self) -> dict[str, int]:
        """What is added to a model's name, to how many codons it reads on either side of each gene."""
        return {"": 0} | ({", among genes": self.context_codons} if self.context_codons else {})

    def _expected(self, one: NamedModel, context_codons: int, seed: int, drawn: Asked) -> LogP:
        """log P (L, 64) at every codon of each gene, every `stride`-th masked at a time.

        Raises:
            UserError: the genes with their context are longer than the model reads at once.
        """
        genes = drawn.genes
        around = contexts(drawn, context_codons, seed) if context_codons else None
        return strided_log_probabilities(one.model, [gene.codons for gene in genes], self.stride, around)


def contexts(drawn: Asked, context_codons: int, seed: int) -> list[Context]:
    """For each gene that is asked about so many codons of the others on either side, fewer where they end.

    The others are those of its genetic code, each with its stop, in an order of its own; what stands behind
    it begins with the first of them that is not needed before it.
    """
    order = np.random.default_rng(seed)
    of_code: dict[int, list[NDArray[np.int64]]] = {gene.genetic_code: [] for gene in drawn.genes}
    for other in drawn.others:
        of_code.setdefault(other.genetic_code, []).append(other.codons_and_stop)
    found = []
    for gene in drawn.genes:
        others = of_code[gene.genetic_code]
        joined = np.concatenate([np.empty(0, np.int64), *(others[i] for i in order.permutation(len(others)))])
        found.append(Context(joined[:context_codons], joined[context_codons : 2 * context_codons]))
    return found


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


def figures(genes: Sequence[Gene], log_p: LogP, unigram: CodonUnigram) -> Figures:
    """Figures of guesses log P (L, 64) at the codons of genes; the first codon of each is not asked about."""
    lost_among, right_among = [], []
    for gene, table in zip(genes, log_p, strict=True):
        codons, table = gene.codons[1:], table[1:]
        own = -table[np.arange(len(codons)), codons]
        family = synonym_family(gene.genetic_code)
        alike = family[codons][:, None] == family
        several = alike.sum(1) > 1
        among = np.where(alike, table, -np.inf)
        lost_among.append((np.logaddexp.reduce(among, axis=1) + own)[several])
        right_among.append((among.argmax(1) == codons)[several])
    codons = [gene.codons for gene in genes]
    return Figures(
        *compared(codons, log_p, unigram),
        _mean(lost_among),
        _mean(right_among),
        len(genes),
        sum(len(gene) - 1 for gene in codons),
    )


def _mean(values: Sequence[NDArray]) -> float | None:
    joined = np.concatenate(values)
    return float(joined.mean()) if len(joined) else None
