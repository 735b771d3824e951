"""How well native codons are guessed: one left out of its gene, or all of them from the protein alone.

Start and stop codons and those of residues with one codon count in neither.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import brentq

from lifecode.alphabet import NUM_AMINO_ACIDS, NUM_CODONS, STOP
from lifecode.design.host import HostUsage, best_codons, matched_usage
from lifecode.design.masked_codons import strided_log_probabilities
from lifecode.design.measures import min_max
from lifecode.design.sampler import Sampling, sample
from lifecode.design.synonyms import choices, synonym_family
from lifecode.evaluation.baselines import BothNeighbours
from lifecode.models.life_code.model import LifeCode

ARMS = {
    "model, likeliest": Sampling(temperature=0),
    "model alone, likeliest": Sampling(temperature=0, host_weight=0),
    "model, drawn": Sampling(temperature=1),
}
"""How the model designs, from codons drawn by the usage; passes and blocks are the benchmark's."""


class LeftOut(NamedTuple):
    """How codons are guessed among synonyms.

    Attributes:
        top_1: share of positions whose likeliest codon is the native one.
        perplexity: exp of the mean -log P(codon | residue, what else is known).
        n: positions.
        top_1_by_gene: (num_genes,) for the spread over genes.
    """

    top_1: float
    perplexity: float
    n: int
    top_1_by_gene: NDArray[np.float64]


def leave_one_out(
    model: LifeCode,
    genes: Sequence[NDArray[np.integer]],
    host: HostUsage,
    neighbours: BothNeighbours,
    stride: int,
    on_gene: Callable[[], None],
) -> dict[str, LeftOut]:
    """Model, most frequent codon and both neighbours at the same positions, all given the residue.

    Args:
        model: reads each gene `stride` times, with every `stride`-th codon masked.
        genes: codon ids (L,) of each.
        host: usage counted on training genes.
        neighbours: counted on the same.
        stride: above 1, so that the model too sees both neighbours.
        on_gene: told after each gene.
    """
    log_p: dict[str, list[NDArray]] = {"model": [], "most frequent codon": [], "both neighbours": []}
    for gene in genes:
        at = scored(gene, host.genetic_code)
        log_p["model"].append(strided_log_probabilities(model, [gene], stride)[0][at])
        log_p["most frequent codon"].append(np.tile(np.log(host.shares), (len(at), 1)))
        log_p["both neighbours"].append(neighbours.log_probabilities(gene, at))
        on_gene()
    truths = [gene[scored(gene, host.genetic_code)] for gene in genes]
    return {name: _left_out(rows, truths, host.genetic_code) for name, rows in log_p.items()}


def scored(gene: NDArray[np.integer], code: int) -> NDArray[np.int64]:
    """Positions between start and stop codon whose residue has several codons."""
    family = synonym_family(code)
    several = (np.bincount(family, minlength=NUM_AMINO_ACIDS) > 1)[family] & (family != STOP)
    inner = np.arange(1, len(gene) - 1)
    return inner[several[gene[inner]]]


def _left_out(rows: list[NDArray], truths: list[NDArray], code: int) -> LeftOut:
    family = synonym_family(code)
    right, surprise = [], []
    for logits, truth in zip(rows, truths, strict=True):
        among = np.where(family[None, :] == family[truth][:, None], logits, -np.inf)
        own = among[np.arange(len(truth)), truth]
        right.append(among.argmax(axis=1) == truth)
        surprise.append(np.logaddexp.reduce(among, axis=1) - own)
    joined = np.concatenate(right)
    perplexity = float(np.exp(np.concatenate(surprise).mean()))
    return LeftOut(float(joined.mean()), perplexity, len(joined), np.array([one.mean() for one in right]))


class DeNovo(NamedTuple):
    """How a gene is recovered from its protein.

    Attributes:
        recovery: share of the scored positions with the native codon.
        min_max_correlation: mean over genes of Pearson's r between its %MinMax and the native one's; None
            where one is constant.
        n: positions.
        num_correlated: genes with a correlation.
    """

    recovery: float
    min_max_correlation: float | None
    n: int
    num_correlated: int


def de_novo(
    model: LifeCode,
    genes: Sequence[NDArray[np.integer]],
    host: HostUsage,
    passes: int,
    mask_fraction: float,
    seed: int,
    on_gene: Callable[[], None],
) -> dict[str, DeNovo]:
    """The arms of the model, most frequent codon, and sampling at the native CAI, from proteins alone."""
    designs: dict[str, list[NDArray]] = {name: [] for name in (*ARMS, "most frequent codon", "CAI-matched")}
    for number, gene in enumerate(genes):
        spelling = choices(_residues(gene, host.genetic_code), host.genetic_code)
        for index, (name, arm) in enumerate(ARMS.items()):
            settings = replace(arm, passes=passes, mask_fraction=mask_fraction)
            draw = np.random.default_rng((seed, number, 1 + index))
            start = matched_usage(spelling, host, draw)
            designs[name].append(sample(model, start, spelling, host.shares, settings, [draw])[0])
        designs["most frequent codon"].append(best_codons(spelling, host))
        designs["CAI-matched"].append(
            cai_matched(gene, spelling, host, np.random.default_rng((seed, number)))
        )
        on_gene()
    return {name: _recovered(own, genes, host) for name, own in designs.items()}


def _residues(gene: NDArray[np.integer], code: int) -> NDArray[np.int64]:
    """What the codons spell, an alternative start codon M."""
    residues = synonym_family(code)[gene].copy()
    residues[0] = synonym_family(code)[14]  # ATG
    return residues


def cai_matched(
    gene: NDArray[np.integer], spelling: NDArray[np.bool_], host: HostUsage, draw: np.random.Generator
) -> NDArray[np.int64]:
    """Codons (L,) drawn by usage, so tilted towards common or rare ones that the expected CAI is the gene's.

    The mean of ln w is matched, over the positions that `scored` names; w is each codon's share over that of
    its commonest synonym.
    """
    at = scored(gene, host.genetic_code)
    log_w = np.log(host.relative_adaptiveness)
    wanted = log_w[gene[at]].mean() if len(at) else 0.0

    def shares(tilt: float) -> NDArray[np.float64]:
        weights = np.where(spelling, host.shares * np.exp(tilt * log_w), 0.0)
        return weights / weights.sum(axis=1, keepdims=True)

    def excess(tilt: float) -> float:
        return float((shares(tilt)[at] @ log_w).mean() - wanted) if len(at) else 0.0

    low, high = -20.0, 20.0
    tilt = float(brentq(excess, low, high)) if excess(low) < 0 < excess(high) else 0.0  # pyright: ignore
    cumulative = np.cumsum(shares(tilt), axis=1)
    drawn = draw.random(len(gene))[:, None] * cumulative[:, -1:]
    return np.minimum((cumulative <= drawn).sum(axis=1), NUM_CODONS - 1)


def _recovered(designs: Sequence[NDArray], genes: Sequence[NDArray[np.integer]], host: HostUsage) -> DeNovo:
    right, correlations = [], []
    for design, gene in zip(designs, genes, strict=True):
        at = scored(gene, host.genetic_code)
        right.append(design[at] == gene[at])
        of_design, of_gene = min_max(design, host), min_max(gene, host)
        if len(of_gene) > 1 and of_design.std() > 1e-9 and of_gene.std() > 1e-9:
            correlations.append(float(np.corrcoef(of_design, of_gene)[0, 1]))
    joined = np.concatenate(right)
    mean = float(np.mean(correlations)) if correlations else None
    return DeNovo(float(joined.mean()), mean, len(joined), len(correlations))
