"""What letters alone say of a pair: lengths, k-mers, and triads of seven kinds of residues."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from lifecode.alphabet import AMINO_ACIDS, encode_nucleotides
from lifecode.tasks.features.counts import Kmers, LengthAndGc
from lifecode.tasks.pairs.pair_examples import PairExamples
from lifecode.tasks.pairs.side import Side

_TRIAD_CLASSES = ("AGV", "ILFP", "YMTS", "HNQW", "RK", "DE", "C")
"""Kinds of residues by dipole and volume of their side chains (Shen et al. 2007)."""
_KMER = 4
_CLASS = np.full(len(AMINO_ACIDS), -1)
for _number, _letters in enumerate(_TRIAD_CLASSES):
    _CLASS[[AMINO_ACIDS.index(letter) for letter in _letters]] = _number


def triads(residues: Sequence[NDArray[np.int16]]) -> NDArray[np.float32]:
    """(n, 343) share of each word of three kinds among the words of known residues."""
    shares = np.zeros((len(residues), 343), dtype=np.float32)
    for row, ids in zip(shares, residues, strict=True):
        kinds = np.where(ids < 0, -1, _CLASS[np.maximum(ids, 0)])
        if len(kinds) >= 3:
            words = np.lib.stride_tricks.sliding_window_view(kinds, 3)
            words = words[(words >= 0).all(1)] @ np.array([49, 7, 1])
            row[:] = np.bincount(words, minlength=343) / max(1, len(words))
    return shares


def composition(side: Side) -> NDArray[np.float32]:
    """(n, 343) triads of proteins, or (n, 256) 4-mers of nucleotides, of each pair."""
    found = triads(side.residues()) if side.kind == "protein" else Kmers(_KMER)(_nucleotides(side))
    return found[side.rows]


def lengths(examples: PairExamples) -> NDArray[np.float32]:
    """(n, 2 to 4) log(1 + length) of both sides, and of nucleotides the share of G and C."""
    parts = []
    for side in (examples.first, examples.second):
        if side.kind == "protein":
            found = np.log1p([[len(letters)] for letters in side.letters]).astype(np.float32)
        else:
            found = LengthAndGc()(_nucleotides(side))
        parts.append(found[side.rows])
    return np.concatenate(parts, axis=1)


def _nucleotides(side: Side) -> list[NDArray[np.uint8]]:
    return [encode_nucleotides(letters) for letters in side.letters]
