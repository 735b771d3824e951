"""Features that say which letter or codon stands at which position, counted from the start."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from lifecode.alphabet import NUM_CODONS, codon_ids

_MOST_POSITIONS = {"nucleotide": 512, "codon": 256}
"""Positions beyond are not read, so that a table of long genes fits in memory."""


@dataclass(frozen=True, slots=True)
class OneHot:
    """1 for the letter or codon at each of the first positions, 0 for the others, behind the end and unknown.

    Attributes:
        unit: what stands at a position.
        positions: how many are read.
    """

    unit: Literal["nucleotide", "codon"]
    positions: int

    @property
    def name(self) -> str:
        """Such as `codon one-hot`."""
        return f"{self.unit} one-hot"

    @property
    def config(self) -> dict[str, Any]:
        """Its name, unit and positions."""
        return {"features": "one_hot", **asdict(self)}

    def __call__(self, sequences: Sequence[NDArray[np.uint8]]) -> NDArray[np.float32]:
        """(n, positions x 4) or (n, positions x 64)."""
        letters = 4 if self.unit == "nucleotide" else NUM_CODONS
        table = np.zeros((len(sequences), self.positions, letters), dtype=np.float32)
        for row, ids in zip(table, sequences, strict=True):
            found = (
                codon_ids(ids[: 3 * self.positions])
                if self.unit == "codon"
                else ids[: self.positions].astype(np.int64)
            )
            known = np.flatnonzero((found >= 0) & (found < letters))
            row[known, found[known]] = 1
        return table.reshape(len(sequences), -1)


def positions_of(sequences: Sequence[NDArray[np.uint8]], unit: Literal["nucleotide", "codon"]) -> int:
    """Positions of the longest sequence, at most those of `_MOST_POSITIONS`."""
    longest = max(map(len, sequences)) // (3 if unit == "codon" else 1)
    return max(1, min(longest, _MOST_POSITIONS[unit]))
