"""Features made of an encoder's states: pooled over positions, over reading frames, at one place in it."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from lifecode.models.life_code.frames import NUM_FRAMES, in_three_frames
from lifecode.tasks.examples.molecule import Molecule, first_codons
from lifecode.tasks.families.place import FrameReading, Place
from lifecode.tasks.features.encoder import Encoder

StatePool = Literal["mean", "max", "cls", "last", "centre", "positions"]
WINDOWED: tuple[StatePool, ...] = ("centre", "positions")
"""Pools of so many states as a window has, one behind the other."""
_BEFORE_PROJECTION = Place()


@dataclass(frozen=True, slots=True, kw_only=True)
class StateFeatures:
    """One vector a sequence, float32.

    Attributes:
        encoder: what reads.
        label: the encoder's name in tables.
        pools: joined one behind the other. `mean`, `max`: over the positions; `cls`: the state of the whole;
            `last`: that of the last position; `centre`: the `window` states around the middle, one behind the
            other; `positions`: the first `window` states likewise; zeros where a sequence is shorter.
        frames: 0, 1 or 2 reads from behind as many unknown nucleotides on; `average` and `stack` read in all
            three, and take the mean, or mean, maximum and minimum one behind the other.
        place: where in the encoder.
        window: positions of `centre` and `positions`.
        max_codons: of each sequence so many, or residues, are read, from the first on; None reads all.
        molecule: what the sequences are.
    """

    encoder: Encoder
    label: str
    pools: tuple[StatePool, ...] = ("mean",)
    frames: FrameReading = 0
    place: Place = _BEFORE_PROJECTION
    window: int = 8
    max_codons: int | None = None
    molecule: Molecule = "dna"

    @property
    def name(self) -> str:
        """Such as `lifecode-mini, mean`."""
        return f"{self.label}, {' and '.join(self.pools)}"

    @property
    def config(self) -> dict[str, Any]:
        """All but the encoder."""
        return {
            "features": "states",
            "label": self.label,
            "pools": list(self.pools),
            "frames": self.frames,
            "place": self.place._asdict(),
            "window": self.window,
            "max_codons": self.max_codons,
            "molecule": self.molecule,
        }

    def __call__(self, sequences: Sequence[NDArray[np.uint8]]) -> NDArray[np.float32]:
        """(n, num_features)."""
        sequences = [first_codons(ids, self.max_codons, self.molecule) for ids in sequences]
        if self.frames not in ("average", "stack"):
            given = (
                sequences if self.frames == 0 else [in_three_frames(ids)[self.frames] for ids in sequences]
            )
            return np.stack(self._pooled(given))
        vectors = self._pooled([frame for ids in sequences for frame in in_three_frames(ids)])
        framed = np.stack(vectors).reshape(len(sequences), NUM_FRAMES, -1)
        if self.frames == "average":
            return framed.mean(1)
        return np.concatenate([framed.mean(1), framed.max(1), framed.min(1)], axis=1)

    def _pooled(self, sequences: Sequence[NDArray[np.uint8]]) -> list[NDArray[np.float32]]:
        vectors: list[NDArray[np.float32] | None] = [None] * len(sequences)
        for number, states in self.encoder.states(sequences, self.place):
            vectors[number] = np.concatenate([_POOLS[pool](states, self.window) for pool in self.pools])
        return [vector for vector in vectors if vector is not None]


def _centre(states: NDArray[np.float32], window: int) -> NDArray[np.float32]:
    inner = states[1:-1]
    start = max(0, (len(inner) - window) // 2)
    return _padded(inner[start : start + window], window)


def _padded(states: NDArray[np.float32], window: int) -> NDArray[np.float32]:
    return np.pad(states, ((0, window - len(states)), (0, 0))).ravel()


_POOLS: dict[StatePool, Callable[[NDArray[np.float32], int], NDArray[np.float32]]] = {
    "mean": lambda states, _: states[1:-1].mean(0),
    "max": lambda states, _: states[1:-1].max(0),
    "cls": lambda states, _: states[0],
    "last": lambda states, _: states[-2],
    "centre": _centre,
    "positions": lambda states, window: _padded(states[1:-1][:window], window),
}
