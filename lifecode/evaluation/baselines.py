"""What a model has to beat: codon statistics of the training genes, without a neural network.

All of them are counted on the training split and read at the same held-out positions as the model.
"""

from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import NDArray

from lifecode.alphabet import NUM_AMINO_ACIDS, NUM_CODONS

_BORDER = NUM_CODONS
"""The symbol before the first and after the last codon of a gene."""
_UNKNOWN = NUM_CODONS + 1
"""The symbol of an ambiguous codon, which is never counted and says nothing of its neighbours."""
_PRIOR_COUNT = 0.5
_ROUNDS = 50
_LEAST_WEIGHT = 1e-6


class CodonUnigram:
    """P(c), the share of each codon in the training genes.

    Args:
        genes: codon ids of each training gene (num_codons,), -1 where ambiguous.
    """

    def __init__(self, genes: Iterable[NDArray[np.integer]]) -> None:
        counts = _counted(genes, NUM_CODONS) + _PRIOR_COUNT
        self.log_probabilities = np.log(counts / counts.sum())

    def cross_entropy(self, gene: NDArray[np.integer], positions: NDArray[np.integer]) -> NDArray[np.float64]:
        """-log P (n,) in nats of a gene's codons at `positions` (n,)."""
        return -self.log_probabilities[gene[positions]]


class BothNeighbours:
    """P(c | left) P(right | c), renormalised over c: a codon between two neighbours that are not masked.

    Args:
        genes: codon ids of each training gene (num_codons,).
    """

    def __init__(self, genes: Iterable[NDArray[np.integer]]) -> None:
        counts = _pair_counts(genes) + _PRIOR_COUNT
        self._log_next = _log_next(counts / counts.sum(axis=1, keepdims=True))

    def log_probabilities(
        self, gene: NDArray[np.integer], positions: NDArray[np.integer]
    ) -> NDArray[np.float64]:
        """log P (n, 64) in nats of every codon at `positions` (n,) of a gene."""
        framed = _framed(gene)
        left, right = framed[positions], framed[positions + 2]
        scores = self._log_next[left, :NUM_CODONS] + self._log_next[:NUM_CODONS, right].T
        return scores - np.logaddexp.reduce(scores, axis=1, keepdims=True)

    def cross_entropy(self, gene: NDArray[np.integer], positions: NDArray[np.integer]) -> NDArray[np.float64]:
        """-log P (n,) in nats of a gene's codons at `positions` (n,)."""
        return -self.log_probabilities(gene, positions)[np.arange(len(positions)), gene[positions]]


class InterpolatedNeighbours(BothNeighbours):
    """The same with P(next | c) a mixture of the pairs, the single codons and equal shares.

    The weights of the three are those under which a tenth of the genes, every tenth of them, are likeliest by
    what the others count (expectation-maximisation; Jelinek and Mercer, 1980); then all genes are counted.
    Where genes are few, pairs alone say more than they know.

    Args:
        genes: codon ids of each training gene (num_codons,), -1 where ambiguous; at least two.

    Attributes:
        weights: of pairs, of single codons and of equal shares; they add up to 1.
    """

    def __init__(self, genes: Sequence[NDArray[np.integer]]) -> None:
        asked = _pair_counts(genes[::10])
        counted = _pair_counts([gene for number, gene in enumerate(genes) if number % 10])
        self.weights = _likeliest_weights(_parts(counted), asked)
        self._log_next = _log_next(np.tensordot(self.weights, _parts(asked + counted), axes=1))


def majority_residue(proteins: Iterable[NDArray[np.integer]]) -> int:
    """The most frequent residue (index in `AMINO_ACIDS`) of the training genes."""
    return int(_counted(proteins, NUM_AMINO_ACIDS).argmax())


def _counted(sequences: Iterable[NDArray[np.integer]], num_symbols: int) -> NDArray[np.int64]:
    """(num_symbols,) how often each symbol occurs; ambiguous ones are not counted."""
    counts = np.zeros(num_symbols, dtype=np.int64)
    for sequence in sequences:
        known = sequence[(sequence >= 0) & (sequence < num_symbols)]
        counts += np.bincount(known, minlength=num_symbols)
    return counts


def _pair_counts(genes: Iterable[NDArray[np.integer]]) -> NDArray[np.float64]:
    """(65, 65) how often a codon, or the border of a gene, is followed by another."""
    counts = np.zeros((NUM_CODONS + 1, NUM_CODONS + 1))
    for gene in genes:
        framed = _framed(gene)
        left, right = framed[:-1], framed[1:]
        known = (left < _UNKNOWN) & (right < _UNKNOWN)
        np.add.at(counts, (left[known], right[known]), 1)
    return counts


def _log_next(shares: NDArray[np.float64]) -> NDArray[np.float64]:
    """(66, 66) log of the shares (65, 65); a codon that is unknown says nothing."""
    return np.pad(np.log(shares), (0, 1))


def _parts(counts: NDArray[np.float64]) -> NDArray[np.float64]:
    """(3, 65, 65) P(next) by the codon before, by none, and with equal shares."""
    single, equal = counts.sum(axis=0), np.full_like(counts, 1 / len(counts))
    total = counts.sum(axis=1, keepdims=True)
    single = np.broadcast_to(single / max(1.0, single.sum()), counts.shape)
    return np.stack([np.where(total > 0, counts / np.maximum(1, total), single), single, equal])


def _likeliest_weights(parts: NDArray[np.float64], asked: NDArray[np.float64]) -> NDArray[np.float64]:
    """(3,) weights of the parts by expectation-maximisation on counts of pairs that were asked about."""
    weights = np.full(len(parts), 1 / len(parts))
    for _ in range(_ROUNDS):
        mixed = weights[:, None, None] * parts
        weights = (asked * mixed / mixed.sum(axis=0)).sum(axis=(1, 2))
        weights = np.maximum(weights / weights.sum(), _LEAST_WEIGHT)
    return weights / weights.sum()


def _framed(gene: NDArray[np.integer]) -> NDArray[np.integer]:
    return np.pad(np.where(gene < 0, _UNKNOWN, gene.astype(np.int64)), 1, constant_values=_BORDER)
