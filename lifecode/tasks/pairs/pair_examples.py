"""Labelled pairs as they are learnt from, and the groups that folds keep together."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from lifecode.errors import UserError
from lifecode.tasks.pairs.side import Side, SideKind

KeepTogether = Literal["pairs", "first", "second"]


@dataclass(frozen=True, slots=True, eq=False)
class PairExamples:
    """Some pairs of a task, in the order of their file.

    Attributes:
        ids: of each pair.
        first: its first sequences.
        second: its second sequences.
        labels: (n,), as `Labels.numbers` gives them.
    """

    ids: list[str]
    first: Side
    second: Side
    labels: NDArray[np.number]

    def __len__(self) -> int:
        return len(self.ids)

    @classmethod
    def of(
        cls,
        pairs: Sequence[tuple[str, str]],
        kinds: tuple[SideKind, SideKind],
        ids: list[str] | None = None,
    ) -> "PairExamples":
        """Letters of both sides, without labels."""
        first, second = (Side.of([pair[i] for pair in pairs], kinds[i]) for i in (0, 1))
        numbers = [str(row) for row in range(1, len(pairs) + 1)]
        return cls(numbers if ids is None else ids, first, second, np.zeros(len(pairs), dtype=np.int64))

    @property
    def sequences(self) -> list[tuple[NDArray[np.uint8], NDArray[np.uint8]]]:
        """Ids of both sides of each pair."""
        first, second = self.first.sequences(), self.second.sequences()
        rows = zip(self.first.rows.tolist(), self.second.rows.tolist(), strict=True)
        return [(first[i], second[j]) for i, j in rows]

    @property
    def parts(self) -> list[bytes]:
        """All that a model may read, in the order of the pairs."""
        return [letters.encode() for letters in self.texts()]

    def texts(self) -> list[str]:
        """Each pair as one text."""
        a, b = self.first, self.second
        pairs = zip(a.rows.tolist(), b.rows.tolist(), strict=True)
        return [f"{a.letters[i]} {b.letters[j]}" for i, j in pairs]

    def at(self, rows: NDArray[np.integer]) -> "PairExamples":
        """Those of these rows, in their order."""
        ids = [self.ids[i] for i in rows.tolist()]
        return PairExamples(ids, self.first.at(rows), self.second.at(rows), self.labels[rows])

    def followed_by(self, other: "PairExamples") -> "PairExamples":
        """Further pairs behind these."""
        return PairExamples(
            self.ids + other.ids,
            self.first.followed_by(other.first),
            self.second.followed_by(other.second),
            np.concatenate([self.labels, other.labels]),
        )

    def groups(self, keep: KeepTogether) -> NDArray[np.int64]:
        """A number (n,) for each pair, the same for equal pairs, or for those of one sequence of a side.

        Where both sides are of one kind a pair equals the one with its sides exchanged.
        """
        if keep == "pairs":
            texts = self.texts()
            if self.first.kind == self.second.kind:
                texts = [" ".join(sorted(text.split(" "))) for text in texts]
            return np.unique(np.array(texts, dtype=object), return_inverse=True)[1].astype(np.int64)
        return (self.first if keep == "first" else self.second).rows


def given_pairs(pairs: Any, kinds: tuple[SideKind, SideKind]) -> PairExamples:
    """Pairs as they are, or made of `(first, second)` letters.

    Raises:
        UserError: no pair, or anything that is no two texts.
    """
    if isinstance(pairs, PairExamples):
        return pairs
    found = list(pairs)
    for number, pair in enumerate(found, start=1):
        two = isinstance(pair, list | tuple) and len(pair) == 2
        if not two or not all(isinstance(letters, str) and letters for letters in pair):
            raise UserError(
                "is no pair of two sequences",
                source="predict",
                record=f"number {number}",
                remedy="Give two texts",
            )
    if not found:
        raise UserError("there is no pair", source="predict", remedy="Give at least one")
    return PairExamples.of([(first, second) for first, second in found], kinds)
