"""Examples as packed rows: all frames of an example side by side, within a budget of codons."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, fields, replace
from typing import Any, Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from lifecode.data.batches.packing import consecutive_rows
from lifecode.models.life_code.frames import NUM_FRAMES
from lifecode.tasks.examples.examples import flat, sequences_of
from lifecode.tasks.examples.labels import Unit
from lifecode.tasks.examples.molecule import Molecule, first_codons
from lifecode.tasks.families.family_reading import FamilyReading, PackedRow
from lifecode.tasks.families.place import FrameReading
from lifecode.tasks.families.position_index import NOTHING


@dataclass(frozen=True, slots=True, kw_only=True)
class Framing:
    """How sequences become segments of rows, a segment for each reading frame.

    Attributes:
        family: of the model.
        molecule: what the sequences are.
        frames: 0, 1 or 2 is one segment an example; `average` and `stack` are three.
        most_codons: of each sequence so many, or residues, are read, from the first on; None reads all.
        row_codons: budget of a row, special tokens included, codons or letters; a longer example has a row of
            its own.
        unit: what has a label.
        window: states around each position, where positions have labels.
    """

    family: FamilyReading
    molecule: Molecule = "dna"
    frames: FrameReading
    most_codons: int | None = None
    row_codons: int = 8_192
    unit: Unit = "sequence"
    window: int = 1

    @property
    def segments(self) -> int:
        """How many an example has."""
        return NUM_FRAMES if self.frames in ("average", "stack") else 1

    def size(self, ids: NDArray[np.uint8]) -> int:
        """Letters of a sequence."""
        return len(ids)

    def examples(self, given: Any) -> list[NDArray[np.uint8]]:
        """Sequences as a row wants them; as `sequences_of`."""
        return sequences_of(given, self.molecule)

    def framed(self, sequence: NDArray[np.uint8]) -> list[NDArray[np.uint8]]:
        """The segments of a sequence."""
        return self.family.segments(first_codons(sequence, self.most_codons, self.molecule), self.frames)

    def index_of(self, num_letters: int) -> NDArray[np.int64]:
        """The states of each position of a sequence, as `FamilyReading.position_states`."""
        return self.family.position_states(num_letters, self.unit, self.frames, self.window)

    def described(self) -> dict[str, Any]:
        """All but the family."""
        return {each.name: getattr(self, each.name) for each in fields(self) if each.name != "family"}


class Segmented(Protocol):
    """How examples of any unit become segments of rows: `Framing`, or `PairFraming` of pairs."""

    @property
    def family(self) -> FamilyReading:
        """How the model's family reads sequences."""
        ...

    @property
    def frames(self) -> Any:
        """Reading frames, of pairs those of both sides."""
        ...

    @property
    def row_codons(self) -> int:
        """Budget of a row, special tokens included: codons, or letters."""
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
        """How many an example has."""
        ...

    def size(self, example: Any, /) -> int:
        """Letters of an example."""
        ...

    def index_of(self, num_letters: int) -> NDArray[np.int64]:
        """The states of each position of a sequence."""
        ...

    def described(self) -> dict[str, Any]:
        """All but the family, as JSON can hold it."""
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
        index: (num_positions, B, window) states of each position of all examples, as the family says them,
            `NOTHING` among them; empty where sequences have labels.
        states: (L, D) of a frozen encoder, where they are known already.
    """

    packed: PackedRow
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
    framing: Segmented,
    labels: NDArray[Any] | None = None,
    states: Callable[[int], Tensor] | None = None,
) -> Iterator[Row]:
    """Rows that hold every one of some examples once, those of like length together.

    Args:
        sequences: of all examples, or pairs of them.
        numbers: (n,) which of them.
        framing: how.
        labels: of all examples; None where they are not known.
        states: of each example, by its number; None where the encoder reads them.
    """
    by_length = numbers[np.argsort([framing.size(sequences[number]) for number in numbers], kind="stable")]
    segments = {number: framing.framed(sequences[number]) for number in by_length.tolist()}
    sizes = [sum(map(framing.family.num_states, segments[number])) for number in by_length.tolist()]
    for chosen in consecutive_rows(sizes, framing.row_codons):
        of_row = by_length[chosen]
        index = np.zeros((0, 0, 0), np.int64)
        if framing.unit != "sequence":
            firsts = np.cumsum([0, *sizes[chosen][:-1]])
            index = np.concatenate(
                [
                    shifted(framing.index_of(len(sequences[number])), by)
                    for number, by in zip(of_row.tolist(), firsts.tolist(), strict=True)
                ]
            )
        of_labels = np.zeros(0) if labels is None else flat(labels[of_row])
        yield Row(
            framing.family.pack([ids for number in of_row.tolist() for ids in segments[number]]),
            torch.from_numpy(of_row),
            torch.from_numpy(np.ascontiguousarray(of_labels)),
            torch.from_numpy(index),
            None if states is None else torch.cat([states(number) for number in of_row.tolist()]),
        )


def shifted(index: NDArray[np.int64], by: int) -> NDArray[np.int64]:
    """Numbers of states behind `by` others; `NOTHING` stays."""
    return np.where(index == NOTHING, NOTHING, index + by)
