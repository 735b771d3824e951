"""What a model has to beat: codon statistics of the training genes, without a neural network.

All of them are counted on the training split and read at the same held-out positions as the model.
"""

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from lifecode.alphabet import NUM_AMINO_ACIDS, NUM_CODONS

_BORDER = NUM_CODONS
"""The symbol before the first and after the last codon of a gene."""
_UNKNOWN = NUM_CODONS + 1
"""The symbol of an ambiguous codon, which is never counted and says nothing of its neighbours."""
_PRIOR_COUNT = 0.5


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
        counts = np.full((NUM_CODONS + 1, NUM_CODONS + 1), _PRIOR_COUNT)
        for gene in genes:
            framed = _framed(gene)
            left, right = framed[:-1], framed[1:]
            known = (left < _UNKNOWN) & (right < _UNKNOWN)
            np.add.at(counts, (left[known], right[known]), 1)
        self._log_next = np.pad(np.log(counts / counts.sum(axis=1, keepdims=True)), (0, 1))

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


def _framed(gene: NDArray[np.integer]) -> NDArray[np.integer]:
    return np.pad(np.where(gene < 0, _UNKNOWN, gene.astype(np.int64)), 1, constant_values=_BORDER)
