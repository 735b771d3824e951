"""Features that count letters: length and GC, k-mers, codons, residues, choices among synonyms."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lifecode.alphabet import NUM_AMINO_ACIDS, NUM_CODONS, codon_ids
from lifecode.genetic_code import genetic_code

_CODE = 11
"""The bacterial code; that of the NCBI's table 1 but for its start codons."""
_G, _C = 2, 1


@dataclass(frozen=True, slots=True)
class LengthAndGc:
    """log(1 + length) and the share of G and C: all that says nothing of the order of letters."""

    name = "length and GC"

    @property
    def config(self) -> dict[str, Any]:
        """Its name."""
        return {"features": "length_gc"}

    def __call__(self, sequences: Sequence[NDArray[np.uint8]]) -> NDArray[np.float32]:
        """(n, 2)."""
        return np.array([[np.log1p(len(ids)), _gc(ids)] for ids in sequences], dtype=np.float32).reshape(
            -1, 2
        )


@dataclass(frozen=True, slots=True)
class Kmers:
    """The share of each of the 4^k words among a sequence's words of k known letters."""

    k: int

    @property
    def name(self) -> str:
        """Such as `4-mers`."""
        return f"{self.k}-mers"

    @property
    def config(self) -> dict[str, Any]:
        """Its name and k."""
        return {"features": "kmers", **asdict(self)}

    def __call__(self, sequences: Sequence[NDArray[np.uint8]]) -> NDArray[np.float32]:
        """(n, 4^k)."""
        shares = np.zeros((len(sequences), 4**self.k), dtype=np.float32)
        weights = 4 ** np.arange(self.k)[::-1]
        for row, ids in zip(shares, sequences, strict=True):
            if len(ids) >= self.k:
                windows = np.lib.stride_tricks.sliding_window_view(ids, self.k)
                words = windows[(windows < 4).all(axis=1)] @ weights
                row[:] = np.bincount(words, minlength=len(row)) / max(1, len(words))
        return shares


@dataclass(frozen=True, slots=True)
class CodonFrequency:
    """The share of each of the 64 codons."""

    name = "codon frequency"

    @property
    def config(self) -> dict[str, Any]:
        """Its name."""
        return {"features": "codon_frequency"}

    def __call__(self, sequences: Sequence[NDArray[np.uint8]]) -> NDArray[np.float32]:
        """(n, 64)."""
        counts = _codon_counts(sequences)
        return (counts / np.maximum(1, counts.sum(1, keepdims=True))).astype(np.float32)


@dataclass(frozen=True, slots=True)
class CodonPreference:
    """log of each codon's share among its synonyms, one more of each counted: what a protein leaves open."""

    name = "codon preference"

    @property
    def config(self) -> dict[str, Any]:
        """Its name."""
        return {"features": "codon_preference"}

    def __call__(self, sequences: Sequence[NDArray[np.uint8]]) -> NDArray[np.float32]:
        """(n, 64)."""
        counts = _codon_counts(sequences) + 1
        residue = genetic_code(_CODE).residues[:NUM_CODONS]
        of_residue = counts @ np.eye(NUM_AMINO_ACIDS)[residue]
        return np.log(counts / of_residue[:, residue]).astype(np.float32)


@dataclass(frozen=True, slots=True)
class Residues:
    """The share of each residue of the translated sequence, the stop among them."""

    name = "residues"

    @property
    def config(self) -> dict[str, Any]:
        """Its name."""
        return {"features": "residues"}

    def __call__(self, sequences: Sequence[NDArray[np.uint8]]) -> NDArray[np.float32]:
        """(n, 21)."""
        counts = _codon_counts(sequences) @ np.eye(NUM_AMINO_ACIDS)[genetic_code(_CODE).residues[:NUM_CODONS]]
        return (counts / np.maximum(1, counts.sum(1, keepdims=True))).astype(np.float32)


@dataclass(frozen=True, slots=True)
class GeneShape:
    """log codons, 1 / codons, GC at each position of a codon, and each letter's share in the first 60."""

    name = "gene shape"

    @property
    def config(self) -> dict[str, Any]:
        """Its name."""
        return {"features": "gene_shape"}

    def __call__(self, sequences: Sequence[NDArray[np.uint8]]) -> NDArray[np.float32]:
        """(n, 9)."""
        rows = [
            [np.log1p(len(ids) // 3), 3 / max(3, len(ids)), *(_gc(ids[at::3]) for at in range(3))]
            + [float(np.mean(ids[:60] == letter)) for letter in range(4)]
            for ids in sequences
        ]
        return np.array(rows, dtype=np.float32).reshape(-1, 9)


def _gc(ids: NDArray[np.uint8]) -> float:
    """The share of G and C among the known letters."""
    known = np.count_nonzero(ids < 4)
    return np.count_nonzero((ids == _G) | (ids == _C)) / max(1, known)


def _codon_counts(sequences: Sequence[NDArray[np.uint8]]) -> NDArray[np.float64]:
    """(n, 64) whole codons of known letters."""
    counts = np.zeros((len(sequences), NUM_CODONS))
    for row, ids in zip(counts, sequences, strict=True):
        codons = codon_ids(ids)
        row[:] = np.bincount(codons[codons >= 0], minlength=NUM_CODONS)
    return counts
