"""What reads sequences for a head: any model that gives states, and one of a family as one of them."""

import json
from collections.abc import Iterator, Sequence
from hashlib import sha256
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from lifecode.data.batches.packing import fill_rows
from lifecode.models.life_code.evaluation_mode import in_evaluation, undisturbed
from lifecode.models.saved import SavedModel
from lifecode.tasks.examples.molecule import Molecule
from lifecode.tasks.families.place import FrameReading, Place
from lifecode.tasks.families.registry import reading_of


class Encoder(Protocol):
    """A frozen model that gives a state for each position of a sequence."""

    @property
    def digest(self) -> str:
        """Of its shape and all of its weights."""
        ...

    def frames(self, asked: FrameReading | None) -> FrameReading:
        """The reading frames that `probe.frames` asks for, or of None the usual ones.

        Raises:
            UserError: frames that it does not have.
        """
        ...

    def states(
        self, sequences: Sequence[NDArray[np.uint8]], place: Place
    ) -> Iterator[tuple[int, NDArray[np.float32]]]:
        """Number of a sequence, in any order, and its states (L + 2, d).

        The first is that of the whole, the last that of the end, those between are of its positions.
        """
        ...


class ModelEncoder:
    """A model of a family as an encoder: the first state is that of `[CLS]`, the last of `[SEP]`.

    Args:
        model: trained or not.
        molecule: what it reads.
        max_tokens: of a packed row: codons, or letters.

    Attributes:
        reading: of the family.
    """

    def __init__(self, model: SavedModel, molecule: Molecule = "dna", max_tokens: int = 8_192) -> None:
        self.model, self.molecule, self.max_tokens = in_evaluation(model), molecule, max_tokens
        self.reading = reading_of(model, molecule)

    @property
    def digest(self) -> str:
        """Of its shape and all of its weights."""
        found = sha256(json.dumps(self.model.config, sort_keys=True).encode())
        for name, tensor in sorted(self.model.state_dict().items()):
            found.update(name.encode())
            found.update(tensor.detach().float().cpu().contiguous().numpy().tobytes())
        return found.hexdigest()

    def frames(self, asked: FrameReading | None) -> FrameReading:
        """Those of the family."""
        return self.reading.frames(asked, "sequence", "probe.frames")

    def states(
        self, sequences: Sequence[NDArray[np.uint8]], place: Place
    ) -> Iterator[tuple[int, NDArray[np.float32]]]:
        """As `Encoder.states`, in float32, each from its first letter on.

        Raises:
            UserError: the model has no such place, or a sequence has a letter that it cannot read.
        """
        return self.states_of_segments([self.reading.segments(ids, 0)[0] for ids in sequences], place)

    def states_of_segments(
        self, segments: Sequence[NDArray[np.uint8]], place: Place
    ) -> Iterator[tuple[int, NDArray[np.float32]]]:
        """The same of what `reading.segments` gave."""
        reading = self.reading
        reading.require_place(self.model, place, "probe")
        sizes = np.array([reading.num_states(segment) for segment in segments], dtype=np.int64)
        for row in fill_rows(sizes, max(self.max_tokens, int(sizes.max(initial=0)))):
            packed = reading.pack([segments[i] for i in row])
            hidden = undisturbed(reading.states)(self.model, packed, place).cpu().numpy()
            borders = packed.cu_seqlens.tolist()
            for number, start, end in zip(row, borders[:-1], borders[1:], strict=True):
                yield number, hidden[start:end]
