"""Features of sequences whose reading frame is not known: stop codons and codons of all three frames."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lifecode.alphabet import NUM_CODONS, codon_ids
from lifecode.genetic_code import genetic_code

_CODE = 11


@dataclass(frozen=True, slots=True)
class OpenFrame:
    """Whether one of the three frames has no stop codon of the bacterial code: the rule that finds genes."""

    name = "a frame without stop"

    @property
    def config(self) -> dict[str, Any]:
        """Its name."""
        return {"features": "open_frame"}

    def __call__(self, sequences: Sequence[NDArray[np.uint8]]) -> NDArray[np.float32]:
        """(n, 1)."""
        fewest = [min(_num_stops(counts) for counts in _frames(ids)) for ids in sequences]
        return (np.array(fewest, dtype=np.float32) == 0).astype(np.float32).reshape(-1, 1)


@dataclass(frozen=True, slots=True)
class ReadingFrames:
    """Shares of stop codons and of codons in each frame, the frame with the fewest stop codons first."""

    name = "codons of three frames"

    @property
    def config(self) -> dict[str, Any]:
        """Its name."""
        return {"features": "reading_frames"}

    def __call__(self, sequences: Sequence[NDArray[np.uint8]]) -> NDArray[np.float32]:
        """(n, 3 * 65)."""
        rows = np.zeros((len(sequences), 3 * (1 + NUM_CODONS)), dtype=np.float32)
        for row, ids in zip(rows, sequences, strict=True):
            frames = sorted(_frames(ids), key=_num_stops)
            row[:] = np.concatenate([np.array([_num_stops(one), *one]) / max(1, one.sum()) for one in frames])
        return rows


def _frames(ids: NDArray[np.uint8]) -> list[NDArray[np.int64]]:
    """Three times (64,): how often each codon of known letters stands in a frame."""
    found = []
    for first in range(3):
        codons = codon_ids(ids[first:])
        found.append(np.bincount(codons[codons >= 0], minlength=NUM_CODONS))
    return found


def _num_stops(counts: NDArray[np.int64]) -> int:
    return int(counts[genetic_code(_CODE).stops[:NUM_CODONS]].sum())
