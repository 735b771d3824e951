"""`kind=synonymous`: does a model tell synonymous changes of a gene from those that change the protein?

Both kinds of change are single nucleotides of the same codons, and alike in one thing more: both at the third
nucleotide (`place`), or both transitions (`class`). Alike in both they cannot be, by the genetic code; rules
that see nothing but place or class stand beside, so only what holds both ways speaks of the protein.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from lifecode.alphabet import NUM_CODONS, STOP
from lifecode.analyses.analysis import Analysed, Say, Value
from lifecode.analyses.genes import Gene, read_genes
from lifecode.analyses.named_model import NamedModel
from lifecode.design.masked_codons import MASKED, masked_log_probabilities
from lifecode.design.synonyms import synonym_family
from lifecode.errors import UserError, require_at_least
from lifecode.report.charts.two_histograms import HistogramPanel, two_histograms
from lifecode.report.page import Drawing

HEADINGS = ("model", "score", "AUC", "same gene", "genes")
_TRANSITION = 0b10
"""A (0) and G (2), C (1) and T (3) differ by it."""
_LIKELIHOOD, _DISTANCE = "likelihood lost", "distance of embeddings"


@dataclass(frozen=True, slots=True, kw_only=True)
class SynonymousChanges:
    """Genes with synonymous changes against the same genes with others.

    Args:
        genes: so many are drawn.
        min_codons: of a gene.
        max_codons: likewise.
        share: of a gene's codons that are changed, at least one.
        alike: both kinds of change are at the third nucleotide (`place`), or both are transitions (`class`).
    """

    genes: int = 200
    min_codons: int = 50
    max_codons: int = 400
    share: float = 0.1
    alike: Literal["place", "class"] = "place"

    def __post_init__(self) -> None:
        if not 0 < self.share <= 1:
            raise UserError("does not lie in (0, 1]", source="kind.share")
        require_at_least(2, self, "genes", "min_codons", within="kind")

    def analyse(
        self, input: str | list[str], models: Sequence[NamedModel], *, seed: int, say: Say
    ) -> Analysed:
        """As `Analysis.analyse`; the input holds coding sequences."""
        drawn, notes = read_genes(
            input, most=self.genes, min_codons=self.min_codons, max_codons=self.max_codons, seed=seed
        )
        changes = [
            change for gene in drawn if (change := changed(gene, self.share, self.alike, seed)) is not None
        ]
        if len(changes) < 2:
            raise UserError("has fewer than two genes that can be changed both ways", source=str(input))
        rows: list[list[Value]] = []
        panels = []
        for one in models:
            say(f"{one.name}: reading {len(changes):,} genes")
            for score, (synonymous, others) in (
                (_LIKELIHOOD, _likelihood_lost(one, changes)),
                (_DISTANCE, distances(one, changes)),
            ):
                rows.append([one.name, score, *told_apart(synonymous, others), len(changes)])
                panels.append(HistogramPanel(f"{one.name}, AUC {rows[-1][2]:.3f}", score, synonymous, others))
        for name, (synonymous, others) in (
            ("codon usage of the genes", _usage_lost(drawn, changes)),
            ("transversions", transversions(changes)),
            ("not at the third nucleotide", not_third(changes)),
        ):
            rows.append([name, "baseline", *told_apart(synonymous, others), len(changes)])
        num_codons = sum(len(change.places) for change in changes)
        return Analysed(
            kind="synonymous",
            verdict=f"{len(changes):,} genes, {num_codons:,} codons changed each way, alike in {self.alike}",
            headings=HEADINGS,
            rows=rows,
            drawing=Drawing(
                two_histograms(panels, ("synonymous", "not synonymous")),
                "What changes do to a gene",
                "For each model and score two histograms, of genes with synonymous and with other changes.",
            ),
            how_to_read=(
                "AUC: how often a gene with changed residues has a higher score than one with synonymous "
                "changes, over all pairs of genes; `same gene`: the same within each gene. 0.5 is chance. "
                "Likelihood lost is log P of the codons as they were minus log P of those that replaced "
                "them, all of them masked; the distance is that of the mean states before and after."
            ),
            notes=notes,
        )


@dataclass(frozen=True, slots=True, eq=False)
class Change:
    """A gene, and what replaces its codons at some places (n,): synonyms, and codons of other residues."""

    gene: Gene
    places: NDArray[np.int64]
    synonymous: NDArray[np.int64]
    others: NDArray[np.int64]

    def replaced(self, codons: NDArray[np.int64]) -> NDArray[np.uint8]:
        """Nucleotide ids (3 L,) of the gene with these codons at the places."""
        found = self.gene.codons
        found[self.places] = codons
        return np.stack([found >> 4, (found >> 2) & 3, found & 3], axis=1).astype(np.uint8).ravel()


def changed(gene: Gene, share: float, alike: Literal["place", "class"], seed: int) -> Change | None:
    """Changes of a gene, by the seed and its sequence; None where no codon can be changed both ways.

    The first codon stays, and no stop is made.
    """
    synonyms, others = _near(gene.genetic_code, alike)
    codons = gene.codons
    can = np.flatnonzero([bool(synonyms[codon]) and bool(others[codon]) for codon in codons.tolist()])
    can = can[can > 0]
    if not len(can):
        return None
    draw = np.random.default_rng([seed, *gene.nucleotides.tobytes()])
    places = np.sort(draw.permutation(can)[: max(1, round(share * len(codons)))])
    same, other = (
        np.array([draw.choice(table[codon]) for codon in codons[places].tolist()], dtype=np.int64)
        for table in (synonyms, others)
    )
    return Change(gene, places, same, other)


@cache
def _near(code: int, alike: Literal["place", "class"]) -> tuple[list[list[int]], list[list[int]]]:
    """For each codon those one nucleotide away, third or by a transition: synonyms, and others but stops."""
    family = synonym_family(code)
    synonyms: list[list[int]] = []
    others: list[list[int]] = []
    for codon in range(NUM_CODONS):
        if alike == "place":
            near = [codon ^ change for change in (1, 2, 3)]
        else:
            near = [codon ^ (_TRANSITION << 2 * place) for place in range(3)]
        synonyms.append([one for one in near if family[one] == family[codon]])
        others.append([one for one in near if family[one] not in (family[codon], STOP)])
    return synonyms, others


Two = tuple[NDArray[np.float64], NDArray[np.float64]]


def _likelihood_lost(one: NamedModel, changes: Sequence[Change]) -> Two:
    """(n,) each: mean over the places of log P(codon) - log P(replacement), the places masked together."""
    masked = []
    for change in changes:
        codons = change.gene.codons
        codons[change.places] = MASKED
        masked.append(codons)
    found = masked_log_probabilities(one.model, masked, [change.places for change in changes])
    return _mean_lost(found, changes)


def _usage_lost(genes: Sequence[Gene], changes: Sequence[Change]) -> Two:
    """The same by how often each codon stands in all genes, one more of each counted."""
    counts = 1 + np.bincount(np.concatenate([gene.codons for gene in genes]), minlength=NUM_CODONS)
    log_share = np.log(counts / counts.sum())
    return _mean_lost([np.tile(log_share, (len(change.places), 1)) for change in changes], changes)


def _mean_lost(log_p: Sequence[NDArray[np.float64]], changes: Sequence[Change]) -> Two:
    lost: list[list[float]] = [[], []]
    for table, change in zip(log_p, changes, strict=True):
        row = np.arange(len(table))
        before = table[row, change.gene.codons[change.places]]
        for values, codons in zip(lost, (change.synonymous, change.others), strict=True):
            values.append(float(np.mean(before - table[row, codons])))
    return np.array(lost[0]), np.array(lost[1])


def distances(one: NamedModel, changes: Sequence[Change]) -> Two:
    """(n,) each: Euclidean distance of the mean states before and after."""
    before, same, other = (
        one.vectors(sequences, "cds").astype(np.float64)
        for sequences in (
            [change.gene.nucleotides for change in changes],
            [change.replaced(change.synonymous) for change in changes],
            [change.replaced(change.others) for change in changes],
        )
    )
    return np.linalg.norm(same - before, axis=1), np.linalg.norm(other - before, axis=1)


def transversions(changes: Sequence[Change]) -> Two:
    """(n,) each: share of the changes that are no transitions (A and G, C and T)."""
    return _shares(changes, lambda before, after: (before ^ after) & 0b010101 > 0)


def not_third(changes: Sequence[Change]) -> Two:
    """(n,) each: share of the changes that are of the first or second nucleotide of their codon."""
    return _shares(changes, lambda before, after: (before ^ after) >> 2 > 0)


def _shares(
    changes: Sequence[Change], holds: Callable[[NDArray[np.int64], NDArray[np.int64]], NDArray[np.bool_]]
) -> Two:
    shares: list[list[float]] = [[], []]
    for change in changes:
        before = change.gene.codons[change.places]
        for values, after in zip(shares, (change.synonymous, change.others), strict=True):
            values.append(float(np.mean(holds(before, after))))
    return np.array(shares[0]), np.array(shares[1])


def told_apart(synonymous: NDArray[np.float64], others: NDArray[np.float64]) -> tuple[float, float]:
    """AUC over all pairs of genes, and the share of genes whose own other changes score higher; ties half."""
    from sklearn.metrics import roc_auc_score

    labels = np.repeat([0, 1], len(synonymous))
    area = float(roc_auc_score(labels, np.concatenate([synonymous, others])))
    return area, float(np.mean((others > synonymous) + 0.5 * (others == synonymous)))
