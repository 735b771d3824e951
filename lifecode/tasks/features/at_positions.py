"""Features of every position of a sequence: the encoder's states there, or the letters around it."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Literal, Protocol

import numpy as np
from numpy.typing import NDArray

from lifecode.alphabet import NUM_CODONS, codon_ids
from lifecode.errors import UserError
from lifecode.models.life_code.frames import NUM_FRAMES, in_three_frames
from lifecode.tasks.examples.labels import Labels, Unit
from lifecode.tasks.examples.molecule import Molecule
from lifecode.tasks.features.encoder import Encoder, Place
from lifecode.tasks.features.position_index import num_positions, state_index
from lifecode.tasks.features.states import FrameReading


class PositionFeatures(Protocol):
    """Numbers made of each position of sequences."""

    @property
    def config(self) -> dict[str, Any]:
        """What `lifecode.tasks.features.registry.position_features_from` makes the same features of."""
        ...

    def __call__(self, sequences: Sequence[NDArray[np.uint8]]) -> Iterator[tuple[int, NDArray[np.float32]]]:
        """Number of a sequence, in any order, and (num_positions, num_features) of it."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class StatesAtPositions:
    """The states that `state_index` says, side by side; of `average` their mean.

    Attributes:
        encoder: what reads.
        unit: what a position is.
        frames: 0 for codons.
        place: where in the encoder.
        window: states around each position.
    """

    encoder: Encoder
    unit: Unit
    frames: FrameReading
    place: Place
    window: int = 1

    @property
    def config(self) -> dict[str, Any]:
        """All but the encoder."""
        return {
            "features": "states_at_positions",
            "unit": self.unit,
            "frames": self.frames,
            "place": self.place._asdict(),
            "window": self.window,
        }

    def __call__(self, sequences: Sequence[NDArray[np.uint8]]) -> Iterator[tuple[int, NDArray[np.float32]]]:
        """Number of a sequence and (num_positions, num_features) of it."""
        three = self.frames in ("average", "stack")
        given = [
            frame
            for ids in sequences
            for frame in (in_three_frames(ids) if three else [in_three_frames(ids)[int(self.frames)]])
        ]
        waiting: dict[int, dict[int, NDArray[np.float32]]] = {}
        for number, states in self.encoder.states(given, self.place):
            sequence, segment = divmod(number, NUM_FRAMES if three else 1)
            read = waiting.setdefault(sequence, {})
            read[segment] = states
            if len(read) == (NUM_FRAMES if three else 1):
                del waiting[sequence]
                yield sequence, self._gathered([read[i] for i in sorted(read)], len(sequences[sequence]))

    def _gathered(self, segments: list[NDArray[np.float32]], num_nucleotides: int) -> NDArray[np.float32]:
        index = state_index(num_nucleotides, self.unit, self.frames, self.window)
        states = np.concatenate([*segments, np.zeros((1, segments[0].shape[1]), np.float32)])
        found = states[index]  # the last, of zeros, for NOTHING
        return (found.mean(1) if self.frames == "average" else found).reshape(len(index), -1)


@dataclass(frozen=True, slots=True, kw_only=True)
class OneHotAround:
    """1 for the letter or codon at each of the places around a position, 0 for others and beyond the ends.

    Attributes:
        unit: what a position is.
        letters: what stands at a place.
        window: nucleotides, or codons, around each position.
    """

    unit: Unit
    letters: Literal["nucleotide", "codon"]
    window: int

    @property
    def config(self) -> dict[str, Any]:
        """Its name and attributes."""
        return {
            "features": "one_hot_around",
            "unit": self.unit,
            "letters": self.letters,
            "window": self.window,
        }

    def __call__(self, sequences: Sequence[NDArray[np.uint8]]) -> Iterator[tuple[int, NDArray[np.float32]]]:
        """Number of a sequence and (num_positions, window x 4), or window x 64, of it."""
        size = 4 if self.letters == "nucleotide" else NUM_CODONS
        around = np.arange(self.window) - (self.window - 1) // 2
        for number, ids in enumerate(sequences):
            positions = np.arange(num_positions(len(ids), self.unit))
            if self.letters == "codon":
                found = codon_ids(ids[: len(ids) // 3 * 3])
                at = positions if self.unit == "codon" else positions // 3
            else:
                found = ids.astype(np.int64)
                at = 3 * positions + 1 if self.unit == "codon" else positions
            wanted = at[:, None] + around
            inside = (wanted >= 0) & (wanted < len(found))
            letter = np.where(inside, found[np.clip(wanted, 0, len(found) - 1)], -1)
            table = np.zeros((*wanted.shape, size), np.float32)
            known = np.nonzero((letter >= 0) & (letter < size))
            table[(*known, letter[known])] = 1
            yield number, table.reshape(len(positions), -1)


def position_frames(
    frames: FrameReading | None, labels: Labels, molecule: Molecule, section: str
) -> FrameReading:
    """The frames in which positions are read.

    Raises:
        UserError: codons in another frame than the first.
    """
    if labels.unit == "codon":
        if frames not in (None, 0):
            raise UserError(
                f"is {frames}, and task.unit is codon", source=f"{section}.frames", remedy="Use 0"
            )
        return 0
    return frames if frames is not None else 0 if molecule == "cds" else "stack"


def position_window(pools: Sequence[str] | None, window: int) -> int:
    """States around each position: `window` of `centre`, else its own alone."""
    return window if pools else 1


def require_position_keys(settings: Any, section: str) -> None:
    """Raises a `UserError` where pools or max_codons say what only a whole sequence can have."""
    if settings.pools not in (None, ["centre"]):
        raise UserError(
            "pools whole sequences, and positions have labels",
            source=f"{section}.pools",
            remedy="Use [centre]",
        )
    if settings.max_codons is not None:
        raise UserError("is given, and positions have labels", source=f"{section}.max_codons")
