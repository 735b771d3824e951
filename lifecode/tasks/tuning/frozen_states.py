"""States of a frozen encoder, read once for all epochs, rounds and points of the grid.

All examples are read together and in one order, so that what a head learns from does not depend on which of
its trainings a kill had left to do.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor

from lifecode.models.life_code.evaluation_mode import undisturbed
from lifecode.models.saved import SavedModel
from lifecode.tasks.families.place import Place
from lifecode.tasks.tuning.rows import Segmented, rows_of

_KEPT_BYTES = 1 << 30
"""States of more than this are read anew in every step."""


class FrozenStates:
    """The states of some sequences, or pairs, by their number; read when the first is asked for.

    Args:
        model: frozen.
        place: where in it.
        framing: how sequences become rows.
        sequences: all of them.
    """

    def __init__(self, model: SavedModel, place: Place, framing: Segmented, sequences: Sequence[Any]) -> None:
        self.model, self.place, self.framing, self.sequences = model, place, framing, sequences
        self._known: list[Tensor] = []

    def fit_in_memory(self, width: int) -> bool:
        """Whether states of this width, of all sequences, are few enough to keep."""
        frames = (self.framing.framed(example) for example in self.sequences)
        num_states = self.framing.family.num_states
        return sum(4 * width * num_states(ids) for of_one in frames for ids in of_one) <= _KEPT_BYTES

    def __call__(self, number: int) -> Tensor:
        """(L, D) of all segments of a sequence, special tokens included, on the CPU."""
        if not self._known:
            self._known = self._read()
        return self._known[number]

    @undisturbed
    def _read(self) -> list[Tensor]:
        found: list[Tensor] = [torch.empty(0)] * len(self.sequences)
        segments = self.framing.segments
        for row in rows_of(self.sequences, np.arange(len(self.sequences)), self.framing):
            states = self.framing.family.states(self.model, row.packed, self.place).cpu()
            borders = row.packed.cu_seqlens[::segments].tolist()
            for number, start, end in zip(row.examples.tolist(), borders[:-1], borders[1:], strict=True):
                found[number] = states[start:end].clone()
        return found
