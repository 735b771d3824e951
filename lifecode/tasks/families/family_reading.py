"""What the task layer asks of a family of models: segments of sequences, packed, and a state a position."""

from collections.abc import Sequence
from typing import Any, Protocol, Self

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from lifecode.errors import UserError
from lifecode.tasks.examples.labels import Unit
from lifecode.tasks.families.place import FrameReading, Place


class PackedRow(Protocol):
    """Segments packed into one row.

    Attributes:
        cu_seqlens: (S + 1,) borders of the segments among the states that are read of the row, int32.
    """

    @property
    def cu_seqlens(self) -> Tensor:
        """(S + 1,)."""
        ...

    def to(self, device: torch.device | str) -> Self:
        """The same row on another device."""
        ...


class FamilyReading(Protocol):
    """How a family reads sequences of one molecule.

    A sequence becomes a segment, or one for each reading frame. A segment has one state for each of its
    positions, codons or letters, between that of the whole and that of the end.
    """

    @property
    def weights_read(self) -> tuple[str, ...]:
        """What the names of the weights begin with that states are made of."""
        ...

    def frames(self, asked: FrameReading | None, unit: Unit, key: str) -> FrameReading:
        """The frames that are read: those of the config key, or of None the usual ones.

        Raises:
            UserError: frames that the family does not have for these sequences.
        """
        ...

    def segments(self, sequence: NDArray[np.uint8], frames: FrameReading) -> list[NDArray[np.uint8]]:
        """One, or three of `average` and `stack`, as `pack` takes them.

        Args:
            sequence: ids as `lifecode.tasks.examples.molecule.encoded` gives them.
            frames: as `frames` gives them.

        Raises:
            UserError: a letter that the family has no word for.
        """
        ...

    def num_states(self, segment: NDArray[np.uint8]) -> int:
        """Of a segment, the two special ones among them."""
        ...

    def pack(self, segments: Sequence[NDArray[np.uint8]]) -> PackedRow:
        """Segments in one row."""
        ...

    def states(self, model: Any, row: Any, place: Place, layer_weights: Tensor | None = None) -> Tensor:
        """(L, D) of a packed row at one place, or a weighted sum over layers (depth + 1,); float32."""
        ...

    def require_place(self, model: Any, place: Place, key: str) -> None:
        """Raises a `UserError` at the section `key` of the config where the model has no such place."""
        ...

    def num_blocks(self, unit: Unit, frames: FrameReading) -> int:
        """B of `position_states`."""
        ...

    def position_states(
        self, num_letters: int, unit: Unit, frames: FrameReading, window: int
    ) -> NDArray[np.int64]:
        """Numbers (num_positions, B, window) of the states of each position that has a label.

        They count through all segments of a sequence, read one behind the other; `NOTHING` stands for zeros.
        """
        ...

    def notes(self, sequences: Sequence[NDArray[np.uint8]]) -> list[str]:
        """What a user should know of how these are read, a line each."""
        ...


def require_layer(model: Any, place: Place, key: str) -> None:
    """Raises a `UserError` at the config key where the model has fewer layers."""
    depth = len(model.encoder.layers)
    if place.layer is not None and not 0 <= place.layer <= depth:
        raise UserError(f"is {place.layer}, and the model has {depth} layers", source=f"{key}.layer")
