"""Features that count the letters of proteins: length, and words of residues."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lifecode.alphabet import STOP, residue_ids

_NUM_RESIDUES = STOP
"""Those that are one amino acid each: 20."""


@dataclass(frozen=True, slots=True)
class Length:
    """log(1 + length)."""

    name = "length"

    @property
    def config(self) -> dict[str, Any]:
        """Its name."""
        return {"features": "length"}

    def __call__(self, sequences: Sequence[NDArray[np.uint8]]) -> NDArray[np.float32]:
        """(n, 1)."""
        return np.log1p([[len(ids)] for ids in sequences]).astype(np.float32)


@dataclass(frozen=True, slots=True)
class ResidueKmers:
    """The share of each of the 20^k words among a protein's words of k residues.

    Attributes:
        k: letters of a word.
    """

    k: int

    @property
    def name(self) -> str:
        """Such as `residue 2-mers`."""
        return f"residue {self.k}-mers"

    @property
    def config(self) -> dict[str, Any]:
        """Its name and k."""
        return {"features": "residue_kmers", **asdict(self)}

    def __call__(self, sequences: Sequence[NDArray[np.uint8]]) -> NDArray[np.float32]:
        """(n, 20^k) of the letters of proteins, as `lifecode.tasks.examples.molecule.encoded` gives them."""
        shares = np.zeros((len(sequences), _NUM_RESIDUES**self.k), dtype=np.float32)
        weights = _NUM_RESIDUES ** np.arange(self.k)[::-1]
        for row, letters in zip(shares, sequences, strict=True):
            ids = residue_ids(letters.tobytes()).astype(np.int64)
            if len(ids) >= self.k:
                windows = np.lib.stride_tricks.sliding_window_view(ids, self.k)
                words = windows[(windows < _NUM_RESIDUES).all(axis=1)] @ weights
                row[:] = np.bincount(words, minlength=len(row)) / max(1, len(words))
        return shares
