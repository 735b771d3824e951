"""Examples as packed rows: all frames of an example side by side, within a budget of codons."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from lifecode.data.batches.packing import NUM_SPECIAL_CODONS, Packed, consecutive_rows, pack, whole_codons
from lifecode.models.life_code.frames import NUM_FRAMES, in_three_frames
from lifecode.tasks.examples.examples import flat, nucleotides_of
from lifecode.tasks.examples.labels import Unit
from lifecode.tasks.features.position_index import NOTHING, state_index
from lifecode.tasks.features.states import FrameReading


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """How sequences become rows.

    Attributes:
        frames: 0, 1 or 2 is one segment an example; `average` and `stack` are three.
        most_codons: of each sequence so many are read, from the first on; None reads all.
        row_codons: budget of a row, special tokens included; a longer example has a row of its own.
        unit: what has a label.
        window: states around each position, where positions have labels.
    """

    frames: FrameReading
    most_codons: int | None = None
    row_codons: int = 8_192
    unit: Unit = "sequence"
    window: int = 1

    @property
    def segments(self) -> int:
        """Of each example."""
        return NUM_FRAMES if self.frames in ("average", "stack") else 1

    def size(self, ids: NDArray[np.uint8]) -> int:
        """Nucleotides of a sequence."""
        return len(ids)

    def examples(self, given: Any) -> list[NDArray[np.uint8]]:
        """Sequences as a row wants them; as `nucleotides_of`."""
        return nucleotides_of(given)

    def framed(self, ids: NDArray[np.uint8]) -> list[NDArray[np.uint8]]:
        """The segments of a sequence."""
        if self.most_codons is not None:
            ids = ids[: 3 * self.most_codons]
        if self.frames == 0:
            return [whole_codons(ids)]
        frames = in_three_frames(ids)
        return frames if self.segments == NUM_FRAMES else [frames[int(self.frames)]]


class Segmented(Protocol):
    """How examples of any unit become segments of rows: `Reading`, or `PairReading` of pairs."""

    @property
    def frames(self) -> Any:
        """Reading frames, of pairs those of both sides."""
        ...

    @property
    def row_codons(self) -> int:
        """Budget of a row."""
        ...

    @property
    def unit(self) -> Unit:
        """What has a label."""
        ...

    @property
    def window(self) -> int:
        """States around each position."""
        ...

    @property
    def segments(self) -> int:
        """Of each example."""
        ...

    def size(self, example: Any, /) -> int:
        """Nucleotides of an example."""
        ...

    def framed(self, example: Any, /) -> list[NDArray[np.uint8]]:
        """The segments of an example."""
        ...

    def examples(self, given: Any, /) -> list[Any]:
        """Examples as a row wants them, of what a user may give."""
        ...


@dataclass(frozen=True, slots=True)
class Row:
    """Some examples, packed.

    Attributes:
        packed: their segments, those of one example side by side.
        examples: (n,) number of each.
        labels: (n,) or one behind the other for each position; empty where they are not known.
        index: (num_positions, B, window) states of each position of all examples, as `state_index` says them,
            `NOTHING` among them; empty where sequences have labels.
        states: (L, D) of a frozen encoder, where they are known already.
    """

    packed: Packed
    examples: Tensor
    labels: Tensor
    index: Tensor
    states: Tensor | None = None

    def to(self, device: torch.device | str, non_blocking: bool = False) -> "Row":
        """The same row on another device (Lightning calls this)."""
        return replace(
            self,
            packed=self.packed.to(device),
            examples=self.examples.to(device, non_blocking=non_blocking),
            labels=self.labels.to(device, non_blocking=non_blocking),
            index=self.index.to(device, non_blocking=non_blocking),
            states=None if self.states is None else self.states.to(device, non_blocking=non_blocking),
        )


def rows_of(
    sequences: Sequence[Any],
    numbers: NDArray[np.int64],
    reading: Segmented,
    labels: NDArray[Any] | None = None,
    states: Callable[[int], Tensor] | None = None,
) -> Iterator[Row]:
    """Rows that hold every one of some examples once, those of like length together.

    Args:
        sequences: of all examples, or pairs of them.
        numbers: (n,) which of them.
        reading: how.
        labels: of all examples; None where they are not known.
        states: of each example, by its number; None where the encoder reads them.
    """
    by_length = numbers[np.argsort([reading.size(sequences[number]) for number in numbers], kind="stable")]
    segments = {number: reading.framed(sequences[number]) for number in by_length.tolist()}
    sizes = [
        sum(len(ids) // 3 + NUM_SPECIAL_CODONS for ids in segments[number]) for number in by_length.tolist()
    ]
    for chosen in consecutive_rows(sizes, reading.row_codons):
        of_row = by_length[chosen]
        index = np.zeros((0, 0, 0), np.int64)
        if reading.unit != "sequence":
            firsts = np.cumsum([0, *sizes[chosen][:-1]])
            index = np.concatenate(
                [
                    shifted(
                        state_index(len(sequences[number]), reading.unit, reading.frames, reading.window), by
                    )
                    for number, by in zip(of_row.tolist(), firsts.tolist(), strict=True)
                ]
            )
        of_labels = np.zeros(0) if labels is None else flat(labels[of_row])
        yield Row(
            pack([ids for number in of_row.tolist() for ids in segments[number]]),
            torch.from_numpy(of_row),
            torch.from_numpy(np.ascontiguousarray(of_labels)),
            torch.from_numpy(index),
            None if states is None else torch.cat([states(number) for number in of_row.tolist()]),
        )


def shifted(index: NDArray[np.int64], by: int) -> NDArray[np.int64]:
    """Numbers of states behind `by` others; `NOTHING` stays."""
    return np.where(index == NOTHING, NOTHING, index + by)
