"""What is said of a coding sequence in a host: CAI, %MinMax, codon pair score, GC, distance to the wild type.

Codons are ids (L,) of `alphabet.CODONS`, none ambiguous.
"""

import numpy as np
from numpy.typing import NDArray

from lifecode.alphabet import CODONS, NUM_AMINO_ACIDS, NUM_CODONS, STOP
from lifecode.design.host import HostUsage
from lifecode.design.synonyms import synonym_family

MIN_MAX_WINDOW = 18
"""Codons, as Clarke and Clark took."""
_GC = np.array([sum(letter in "GC" for letter in codon) for codon in CODONS])


def codon_adaptation_index(codons: NDArray[np.integer], host: HostUsage) -> float:
    """Geometric mean of the relative adaptiveness of codons that have synonyms, stops apart; NaN without any.

    Sharp and Li 1987, who take the host's highly expressed genes for reference; here it is all of the host.
    """
    family = synonym_family(host.genetic_code)
    has_choice = (np.bincount(family, minlength=NUM_AMINO_ACIDS) > 1)[family] & (family != STOP)
    scored = codons[has_choice[codons]]
    return float(np.exp(np.log(host.relative_adaptiveness[scored]).mean())) if len(scored) else float("nan")


def min_max(
    codons: NDArray[np.integer], host: HostUsage, window: int = MIN_MAX_WINDOW
) -> NDArray[np.float64]:
    """%MinMax (L - window + 1,) of each window, a stop at the end apart (Clarke and Clark 2008).

    100 where all codons are the host's commonest for their residues, -100 its rarest, 0 their average.

    Empty for a sequence shorter than the window.
    """
    family = synonym_family(host.genetic_code)
    if len(codons) and family[codons[-1]] == STOP:
        codons = codons[:-1]
    if len(codons) < window:
        return np.empty(0)
    most, least = np.zeros(NUM_AMINO_ACIDS), np.full(NUM_AMINO_ACIDS, np.inf)
    np.maximum.at(most, family, host.frequencies)
    np.minimum.at(least, family, host.frequencies)
    sizes = np.bincount(family, minlength=NUM_AMINO_ACIDS)
    average = np.bincount(family, weights=host.frequencies, minlength=NUM_AMINO_ACIDS) / np.maximum(sizes, 1)
    residue = family[codons]
    actual, high, low, middle = (
        np.convolve(values, np.ones(window), mode="valid")
        for values in (host.frequencies[codons], most[residue], least[residue], average[residue])
    )
    above = actual >= middle
    room = np.where(above, high - middle, middle - low)
    return np.divide(100 * (actual - middle), room, out=np.zeros_like(room), where=room > 1e-12)


def codon_pair_score(codons: NDArray[np.integer], host: HostUsage) -> float | None:
    """Mean ln(observed / expected) of neighbouring codons; None from a table, which has no pairs.

    Of each pair in the host's genes, expected by its codons' shares and how often its two residues are
    neighbours (Coleman et al. 2008). A pair that the host does not have counts half, or as expected where
    that is less, so that it is never taken for one that the host prefers.
    """
    if host.pairs is None or len(codons) < 2:
        return None
    family = synonym_family(host.genetic_code)
    of_residue = np.zeros((NUM_CODONS, NUM_AMINO_ACIDS))
    of_residue[np.arange(NUM_CODONS), family] = 1
    residue_pairs = of_residue.T @ host.pairs @ of_residue
    left, right = codons[:-1], codons[1:]
    expected = host.shares[left] * host.shares[right] * residue_pairs[family[left], family[right]]
    observed = np.where(host.pairs[left, right] > 0, host.pairs[left, right], np.minimum(0.5, expected))
    seen = expected > 0
    return float(np.log(np.where(seen, observed, 1) / np.where(seen, expected, 1)).mean())


def gc_share(codons: NDArray[np.integer]) -> float:
    """Share of G and C among the nucleotides."""
    return float(_GC[codons].mean() / 3)


def codons_changed(codons: NDArray[np.integer], others: NDArray[np.integer]) -> int:
    """Positions at which two sequences of the same length have different codons."""
    return int((codons != others).sum())
