"""Packing as the stream goes: a group of rows is drawn in order, packed by itself and shuffled.

A group is known from its number alone, so neither memory nor the time to begin depends on the corpus. The
price is one row per group that is not full; with 256 rows in a group that is 0.2 %.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from lifecode.data.batches.drawing import Draws
from lifecode.data.batches.packing import fill_rows
from lifecode.randomness.permutation import permuted
from lifecode.randomness.random_words import Use, word_key

ROWS_OF_A_GROUP = 256


@dataclass(frozen=True, slots=True)
class RowGroup:
    """The rows of one group in their order, and what making them cost.

    Attributes:
        rows: pieces of each row.
        row_length: budget of a row, in positions.
        num_cut: CDS and transcripts longer than a row, which were cut into pieces.
        left_out_nucleotides: of DNA windows left out for their unknown nucleotides.
    """

    rows: list[list[Any]]
    row_length: int
    num_cut: int
    left_out_nucleotides: int

    @property
    def filled(self) -> float:
        """Share of the rows' budget that is used; 0 without rows."""
        used = sum(piece.num_positions for row in self.rows for piece in row)
        return used / (len(self.rows) * self.row_length) if self.rows else 0.0


class RowGroups:
    """An endless series of groups, each drawn of every kind by its share and packed together.

    A group holds about 256 rows, or, where that is less, one epoch of the kind with the largest share.

    Args:
        draws: series of each kind, none of them empty.
        shares: of the positions, by kind; they add up to 1.
        row_length: budget of a row, in positions.
        seed: of the order of the rows.
    """

    def __init__(
        self, draws: Mapping[str, Draws], shares: Mapping[str, float], row_length: int, seed: int
    ) -> None:
        self._draws, self._row_length, self._seed = draws, row_length, seed
        most = max(shares, key=lambda kind: shares[kind])
        group_positions = min(ROWS_OF_A_GROUP * row_length, draws[most].num_positions / shares[most])
        self._draws_of_a_group = {
            kind: share * group_positions * draws[kind].num_units / draws[kind].num_positions
            for kind, share in shares.items()
        }

    def group(self, number: int) -> RowGroup:
        """The group of a number, from 0 on without end."""
        drawn = [
            self._draws[kind].drawn(round(number * rate), round((number + 1) * rate))
            for kind, rate in self._draws_of_a_group.items()
        ]
        pieces = [piece for part in drawn for piece in part.pieces]
        lengths = np.array([piece.num_positions for piece in pieces], dtype=np.int64)
        filled = fill_rows(lengths, self._row_length)
        key = word_key(Use.ROW_ORDER, self._seed, self._row_length, number)
        order = permuted(np.arange(len(filled)), len(filled), key).tolist()
        return RowGroup(
            rows=[[pieces[i] for i in filled[row]] for row in order],
            row_length=self._row_length,
            num_cut=sum(part.num_cut for part in drawn),
            left_out_nucleotides=sum(part.left_out_nucleotides for part in drawn),
        )
