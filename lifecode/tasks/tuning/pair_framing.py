"""How pairs become segments of packed rows: all of the first side's, then all of the second's."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lifecode.tasks.examples.labels import Unit
from lifecode.tasks.families.family_reading import FamilyReading
from lifecode.tasks.pairs.pair_examples import given_pairs
from lifecode.tasks.pairs.side import SideKind
from lifecode.tasks.tuning.rows import Framing

Pair = tuple[NDArray[np.uint8], NDArray[np.uint8]]


@dataclass(frozen=True, slots=True, kw_only=True)
class PairFraming:
    """As `Framing`, of pairs.

    Attributes:
        kinds: of both sides.
        first: of the first side.
        second: of the second one.
        row_codons: budget of a row.
        unit: what has a label, of `Framing` alone.
        window: likewise.
    """

    kinds: tuple[SideKind, SideKind]
    first: Framing
    second: Framing
    row_codons: int
    unit: Unit = "sequence"
    window: int = 1

    @property
    def family(self) -> FamilyReading:
        """That of either side packs both."""
        return self.first.family

    @property
    def frames(self) -> tuple[Any, Any]:
        """Of both sides."""
        return self.first.frames, self.second.frames

    @property
    def segments(self) -> int:
        """Of each pair."""
        return self.first.segments + self.second.segments

    def size(self, pair: Pair) -> int:
        """Letters of both sides."""
        return len(pair[0]) + len(pair[1])

    def index_of(self, num_letters: int) -> NDArray[np.int64]:
        """None: pairs have one label each."""
        raise NotImplementedError

    def described(self) -> dict[str, Any]:
        """All but the families."""
        return {
            "kinds": list(self.kinds),
            "first": self.first.described(),
            "second": self.second.described(),
            "row_codons": self.row_codons,
        }

    def framed(self, pair: Pair) -> list[NDArray[np.uint8]]:
        """The segments of a pair."""
        return self.first.framed(pair[0]) + self.second.framed(pair[1])

    def examples(self, given: Any) -> list[Pair]:
        """Pairs as a row wants them, of `PairExamples` or `(first, second)` letters."""
        return given_pairs(given, self.kinds).sequences
