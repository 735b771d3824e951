"""The training stream of LucaOne: rows in a random order, packed by a budget of tokens, as batches."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from torch.utils.data import DataLoader

from lifecode.data.batches.batch_shape import rows_together
from lifecode.data.batches.drawing import Drawn, epochs
from lifecode.data.batches.row_groups import RowGroups
from lifecode.data.batches.step_module import StepDataModule
from lifecode.data.batches.steps import BEGINNING, Cursor, PackedStream
from lifecode.datasets.luca_one.batch import LabelledBatch, labelled_batch
from lifecode.datasets.luca_one.masking import LetterMasking
from lifecode.datasets.luca_one.table import RowTable
from lifecode.errors import UserError
from lifecode.models.luca_one.rows import NUM_SPECIAL
from lifecode.randomness.permutation import permuted
from lifecode.randomness.random_words import Use, word_key

_ROWS = "rows"
"""The one kind of what is drawn: genes and proteins come as they are in the data."""


@dataclass(frozen=True, slots=True)
class TokenShape:
    """Packed rows of a step and tokens of a row; the same for any number of processes that share the step.

    Attributes:
        max_tokens: budget of a packed row, `[CLS]` and `[SEP]` of its sequences included.
        rows: packed rows of one optimizer step, over all processes.
        rows_at_once: of them, through the model together on one process; None for all of its share.
    """

    max_tokens: int = 4096
    rows: int = 2
    rows_at_once: int | None = None

    def __post_init__(self) -> None:
        if self.max_tokens <= NUM_SPECIAL:
            raise UserError(
                f"is {self.max_tokens}, which has no room for letters", source="pretraining.batch.max_tokens"
            )
        if self.rows < 1 or (self.rows_at_once is not None and self.rows_at_once < 1):
            raise UserError("rows must be at least 1", source="pretraining.batch")

    @property
    def warmup_steps(self) -> int:
        """All rows have one budget."""
        return 0

    def row_length(self, step: int) -> int:
        """Budget of a row, the same at each step."""
        return self.max_tokens

    def begins_length(self, step: int) -> bool:
        """Whether a step is the first."""
        return step == 0

    def rows_together(self, world_size: int) -> int:
        """Rows of one micro-batch on each of `world_size` processes.

        Raises:
            UserError: the rows of a step cannot be shared out evenly.
        """
        return rows_together(self.rows, self.rows_at_once, world_size, source="pretraining.batch.rows")


class RowPiece(NamedTuple):
    """A row of the table, and what it takes of a packed row."""

    row: int
    num_positions: int


class RowDraws:
    """Row after row of a table, each once an epoch; see `lifecode.data.batches.drawing.Draws`."""

    def __init__(self, table: RowTable, seed: int) -> None:
        self._lengths = np.diff(table.offsets) + NUM_SPECIAL
        self._key = (seed,)
        self.num_units, self.num_positions = len(table), float(self._lengths.sum())

    def drawn(self, first: int, last: int) -> Drawn:
        """The rows of draws `first` to `last`, `last` excluded."""
        pieces: list[Any] = []
        for _, rows in epochs(first, last, self.num_units, self._key):
            pieces += [RowPiece(row, int(self._lengths[row])) for row in rows.tolist()]
        return Drawn(pieces)


class RowStream(PackedStream):
    """Endless optimizer steps of a table, from a cursor on.

    Args:
        table: of the rows; none longer than `shape.max_tokens`.
        shape: of a step.
        masking: corruption of the input.
        num_keywords: classes of the task of several labels.
        seed: of order and masks.
        start: where to begin.
        rank: this process.
        world_size: number of processes; each makes its own rows of every step.

    Raises:
        UserError: the rows of a step cannot be shared by the processes.
    """

    def __init__(
        self,
        table: RowTable,
        *,
        shape: TokenShape,
        masking: LetterMasking,
        num_keywords: int,
        seed: int,
        start: Cursor = BEGINNING,
        rank: int = 0,
        world_size: int = 1,
    ) -> None:
        super().__init__(shape, start=start, rank=rank, world_size=world_size)
        self.table, self.masking, self.num_keywords, self.seed = table, masking, num_keywords, seed

    def row_groups(self, step: int) -> RowGroups:
        """Rows, at each step packed the same way."""
        draws = {_ROWS: RowDraws(self.table, self.seed)}
        return RowGroups(draws, {_ROWS: 1.0}, self.shape.row_length(step), self.seed)

    def batch(self, step: int, pieces: Sequence[RowPiece]) -> LabelledBatch:
        """The rows packed and masked, each by its own random words."""
        rows = [piece.row for piece in pieces]
        keys = word_key(Use.MASK, self.seed, step, np.array(rows))
        return labelled_batch(
            self.table, rows, masking=self.masking, keys=keys, num_keywords=self.num_keywords
        )

    def rows_once(self, most: int | None = None) -> Iterator[LabelledBatch]:
        """Rows of the table once, in its order and packed, masked by the words of step 0.

        Args:
            most: of the rows, drawn by the seed; None is all of them.
        """
        lengths = np.diff(self.table.offsets) + NUM_SPECIAL
        rows = np.arange(len(lengths))
        if most is not None and most < len(rows):
            rows = np.sort(permuted(rows[:most], len(rows), word_key(Use.TEST_ROWS, self.seed)))
        pieces, room = [], 0
        for row, length in zip(rows.tolist(), lengths[rows].tolist(), strict=True):
            if pieces and length > room:
                yield self.batch(0, pieces)
                pieces = []
            room = (room if pieces else self.shape.row_length(0)) - length
            pieces.append(RowPiece(row, length))
        if pieces:
            yield self.batch(0, pieces)


class RowDataModule(StepDataModule):
    """Feeds LucaOne under any Lightning `Trainer`: a batch is a list of `LabelledBatch`, one step.

    Args:
        tables: by split, `train`, `validation` and `test`.
        shape: of a step.
        masking: corruption of the input.
        num_keywords: classes of the task of several labels.
        seed: of order and masks.
        validation_steps: steps of the validation split that are looked at, always the same.
        num_workers: loader processes; the batches do not depend on it.
    """

    shape: TokenShape

    def __init__(
        self,
        tables: dict[str, RowTable],
        *,
        shape: TokenShape,
        masking: LetterMasking,
        num_keywords: int,
        seed: int,
        validation_steps: int,
        num_workers: int = 0,
    ) -> None:
        super().__init__(shape, seed=seed, validation_steps=validation_steps, num_workers=num_workers)
        self.tables, self.masking, self.num_keywords = tables, masking, num_keywords

    def has(self, split: str) -> bool:
        """Whether a split has a row."""
        return len(self.tables[split]) > 0

    def stream(self, split: str, start: Cursor, **changes: Any) -> RowStream:
        """The steps of a split for this process."""
        rank, world_size = self.place
        settings = {"masking": self.masking, "num_keywords": self.num_keywords, "seed": self.seed}
        where = {"start": start, "rank": rank, "world_size": world_size}
        return RowStream(self.tables[split], shape=self.shape, **where, **{**settings, **changes})

    def predict_dataloader(self) -> DataLoader[list[LabelledBatch]]:
        """The first steps of the test split with nothing masked."""
        return self.first_steps("test", masking=LetterMasking(fraction=0.0))
