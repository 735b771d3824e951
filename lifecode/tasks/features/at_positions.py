"""Features of every position of a sequence: the encoder's states there, or the letters around it."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Literal, Protocol

import numpy as np
from numpy.typing import NDArray

from lifecode.alphabet import NUM_CODONS, STOP, codon_ids, residue_ids
from lifecode.errors import UserError
from lifecode.tasks.examples.labels import Unit
from lifecode.tasks.families.place import FrameReading, Place
from lifecode.tasks.families.position_index import num_positions
from lifecode.tasks.features.encoder import ModelEncoder


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
    """The states that the family says, side by side; of `average` their mean.

    Attributes:
        encoder: what reads.
        unit: what a position is.
        frames: as the family gives them.
        place: where in the encoder.
        window: states around each position.
    """

    encoder: ModelEncoder
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
        reading = self.encoder.reading
        of_each = [reading.segments(ids, self.frames) for ids in sequences]
        owner = [(number, place) for number, own in enumerate(of_each) for place in range(len(own))]
        given = [segment for own in of_each for segment in own]
        waiting: dict[int, dict[int, NDArray[np.float32]]] = {}
        for number, states in self.encoder.states_of_segments(given, self.place):
            sequence, segment = owner[number]
            read = waiting.setdefault(sequence, {})
            read[segment] = states
            if len(read) == len(of_each[sequence]):
                del waiting[sequence]
                yield sequence, self._gathered([read[i] for i in sorted(read)], len(sequences[sequence]))

    def _gathered(self, segments: list[NDArray[np.float32]], num_letters: int) -> NDArray[np.float32]:
        index = self.encoder.reading.position_states(num_letters, self.unit, self.frames, self.window)
        states = np.concatenate([*segments, np.zeros((1, segments[0].shape[1]), np.float32)])
        found = states[index]  # the last, of zeros, for NOTHING
        return (found.mean(1) if self.frames == "average" else found).reshape(len(index), -1)


@dataclass(frozen=True, slots=True, kw_only=True)
class OneHotAround:
    """1 for the letter or codon at each of the places around a position, 0 for others and beyond the ends.

    Attributes:
        unit: what a position is.
        letters: what stands at a place.
        window: nucleotides, codons or residues around each position.
    """

    unit: Unit
    letters: Literal["nucleotide", "codon", "residue"]
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
        """Number of a sequence and (num_positions, window x 4), or x 64 or x 20, of it."""
        size = {"nucleotide": 4, "codon": NUM_CODONS, "residue": STOP}[self.letters]
        around = np.arange(self.window) - (self.window - 1) // 2
        for number, ids in enumerate(sequences):
            positions = np.arange(num_positions(len(ids), self.unit))
            if self.letters == "codon":
                found = codon_ids(ids[: len(ids) // 3 * 3])
                at = positions if self.unit == "codon" else positions // 3
            elif self.letters == "residue":
                found, at = residue_ids(ids.tobytes()).astype(np.int64), positions
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
