"""What a model has to beat: statistics of the training genes' codons, or residues, without a neural network.

All of them are counted on the training split and read at the same held-out positions as the model. Symbols
are codon ids, or residues where `num_symbols` says how many there are.
"""

from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import NDArray

from lifecode.alphabet import NUM_AMINO_ACIDS, NUM_CODONS

_PRIOR_COUNT = 0.5
_ROUNDS = 50
_LEAST_WEIGHT = 1e-6


class CodonUnigram:
    """P(c), the share of each codon in the training genes.

    Args:
        genes: codon ids of each training gene (num_codons,), -1 where ambiguous.
        num_symbols: how many there may be.
    """

    def __init__(self, genes: Iterable[NDArray[np.integer]], num_symbols: int = NUM_CODONS) -> None:
        counts = _counted(genes, num_symbols) + _PRIOR_COUNT
        self.log_probabilities = np.log(counts / counts.sum())

    def cross_entropy(self, gene: NDArray[np.integer], positions: NDArray[np.integer]) -> NDArray[np.float64]:
        """-log P (n,) in nats of a gene's codons at `positions` (n,)."""
        return -self.log_probabilities[gene[positions]]


class BothNeighbours:
    """P(c | left) P(right | c), renormalised over c: a codon between two neighbours that are not masked.

    Args:
        genes: codon ids of each training gene (num_codons,).
        num_symbols: how many there may be.
    """

    def __init__(self, genes: Iterable[NDArray[np.integer]], num_symbols: int = NUM_CODONS) -> None:
        self._num_symbols = num_symbols
        counts = _pair_counts(genes, num_symbols) + _PRIOR_COUNT
        self._log_next = _log_next(counts / counts.sum(axis=1, keepdims=True))

    def log_probabilities(
        self, gene: NDArray[np.integer], positions: NDArray[np.integer]
    ) -> NDArray[np.float64]:
        """log P (n, 64) in nats of every codon at `positions` (n,) of a gene."""
        size = self._num_symbols
        framed = _framed(gene, size)
        left, right = framed[positions], framed[positions + 2]
        scores = self._log_next[left, :size] + self._log_next[:size, right].T
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
        num_symbols: how many there may be.

    Attributes:
        weights: of pairs, of single codons and of equal shares; they add up to 1.
    """

    def __init__(self, genes: Sequence[NDArray[np.integer]], num_symbols: int = NUM_CODONS) -> None:
        self._num_symbols = num_symbols
        asked = _pair_counts(genes[::10], num_symbols)
        counted = _pair_counts([gene for number, gene in enumerate(genes) if number % 10], num_symbols)
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


def _pair_counts(genes: Iterable[NDArray[np.integer]], num_symbols: int) -> NDArray[np.float64]:
    """(S + 1, S + 1) how often a symbol, or the border of a gene, is followed by another."""
    counts = np.zeros((num_symbols + 1, num_symbols + 1))
    for gene in genes:
        framed = _framed(gene, num_symbols)
        left, right = framed[:-1], framed[1:]
        known = (left <= num_symbols) & (right <= num_symbols)
        np.add.at(counts, (left[known], right[known]), 1)
    return counts


def _log_next(shares: NDArray[np.float64]) -> NDArray[np.float64]:
    """(S + 2, S + 2) log of the shares (S + 1, S + 1); a symbol that is unknown says nothing."""
    return np.pad(np.log(shares), (0, 1))


def _parts(counts: NDArray[np.float64]) -> NDArray[np.float64]:
    """(3, S + 1, S + 1) P(next) by the symbol before, by none, and with equal shares."""
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


def _framed(gene: NDArray[np.integer], num_symbols: int) -> NDArray[np.integer]:
    """Symbols between two borders, which are `num_symbols`; one more stands for what is unknown."""
    known = (gene >= 0) & (gene < num_symbols)
    return np.pad(np.where(known, gene, num_symbols + 1).astype(np.int64), 1, constant_values=num_symbols)
