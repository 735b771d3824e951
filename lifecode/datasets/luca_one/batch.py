"""What a step of LucaOne reads: a packed row of masked letters, and the labels of each task."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from lifecode.alphabet import IGNORE
from lifecode.datasets.luca_one.masking import LetterMasking, mask_letters
from lifecode.datasets.luca_one.table import RowTable
from lifecode.datasets.luca_one.tasks import MASK_TASKS, TASKS, is_of_several_labels
from lifecode.models.luca_one.heads import LEVELS
from lifecode.models.luca_one.rows import NUM_SPECIAL, Tokens, pack_tokens
from lifecode.models.luca_one.vocabulary import MASK, NUMBER_OF_KIND, Kind
from lifecode.randomness.random_words import random_words

_KIND_OF_NUMBER: dict[int, Kind] = {number: kind for kind, number in NUMBER_OF_KIND.items()}


class TokenContents(NamedTuple):
    """What packed rows hold, on average or in all, special tokens included.

    Attributes:
        num_tokens: positions.
        num_segments: sequences.
        squared_tokens: sum of the sequences' squared lengths, the pairs that attention looks at.
        masked: letters that the language head reads.
        read: by task what its head reads, positions or sequences.
    """

    num_tokens: float
    num_segments: float
    squared_tokens: float
    masked: float
    read: Mapping[str, float]

    @property
    def num_positions(self) -> float:
        """Of the packed rows."""
        return self.num_tokens

    @property
    def length(self) -> float:
        """Letters of the sequences."""
        return self.num_tokens - NUM_SPECIAL * self.num_segments

    @property
    def units(self) -> tuple[str, str]:
        """What a position is, and what a length is counted in."""
        return "tokens", "letters"

    def times(self, rows: float) -> "TokenContents":
        """What so many rows hold together."""
        return TokenContents(
            rows * self.num_tokens,
            rows * self.num_segments,
            rows * self.squared_tokens,
            rows * self.masked,
            {task: rows * own for task, own in self.read.items()},
        )


def assumed_contents(row_length: int, longest: int, masked: float) -> TokenContents:
    """The most that a packed row can hold: full, of sequences as long as the model reads, all labelled.

    Args:
        row_length: tokens of the row.
        longest: tokens of a sequence.
        masked: share of the letters that is selected.
    """
    sequences = row_length / longest
    letters = row_length - NUM_SPECIAL * sequences
    read = {task: sequences if level == "sequence" else letters for task, level in LEVELS.items()}
    return TokenContents(row_length, sequences, row_length * longest, masked * letters, read)


class Labels(NamedTuple):
    """What is known for one task.

    Attributes:
        at: positions in the packed row (n,), int64; `[CLS]` for a task of whole sequences.
        segment: the sequence of each (n,), int64.
        values: tokens or classes (n,), int64; 0 or 1 for each class (n, classes), or coordinates (n, 3),
            float32.
    """

    at: Tensor
    segment: Tensor
    values: Tensor

    def to(self, device: torch.device | str, *, non_blocking: bool = False) -> "Labels":
        """The same on another device."""
        return Labels(*(x.to(device, non_blocking=non_blocking) for x in self))


@dataclass(slots=True)
class LabelledBatch:
    """Sequences packed into one row of T tokens, corrupted, with the labels of every task.

    Not frozen, as `lifecode.data.batches.batch.Batch` is not.

    Attributes:
        ids: corrupted tokens (T,), uint8.
        molecules: row of the type embedding (T,), uint8.
        cu_seqlens: borders of the S sequences (S + 1,), int32.
        labels: by task, all ten of them; those of the two masks are the tokens that masking selected.
        num_letters: of the row, special tokens apart.
    """

    ids: Tensor
    molecules: Tensor
    cu_seqlens: Tensor
    labels: Mapping[str, Labels]
    num_letters: int

    @property
    def num_segments(self) -> int:
        """S."""
        return len(self.cu_seqlens) - 1

    @property
    def contents(self) -> TokenContents:
        """What the row holds."""
        lengths = self.cu_seqlens.diff().to(torch.float64)
        read = {task: float(len(self.labels[task].at)) for task in LEVELS}
        masked = float(sum(len(self.labels[task].at) for task in MASK_TASKS))
        return TokenContents(float(len(self.ids)), len(lengths), float(lengths.square().sum()), masked, read)

    def to(self, device: torch.device | str, non_blocking: bool = False) -> "LabelledBatch":
        """The same batch on another device (Lightning calls this)."""
        return LabelledBatch(
            self.ids.to(device, non_blocking=non_blocking),
            self.molecules.to(device, non_blocking=non_blocking),
            self.cu_seqlens.to(device, non_blocking=non_blocking),
            {task: x.to(device, non_blocking=non_blocking) for task, x in self.labels.items()},
            self.num_letters,
        )

    def is_masked(self) -> dict[str, Tensor]:
        """For both masks, at which of the selected letters the input is `[MASK]` (n,), bool."""
        return {task: self.ids[self.labels[task].at] == MASK for task in MASK_TASKS}

    def only_masked(self) -> "LabelledBatch":
        """The same batch, the two masks labelled where the input is `[MASK]` alone.

        A selected letter that stayed as it was can be copied, which a baseline cannot do.
        """
        labels = dict(self.labels)
        for task, chosen in self.is_masked().items():
            labels[task] = Labels(*(x[chosen] for x in labels[task]))
        return LabelledBatch(self.ids, self.molecules, self.cu_seqlens, labels, self.num_letters)


def labelled_batch(
    table: RowTable,
    rows: Sequence[int],
    *,
    masking: LetterMasking,
    keys: NDArray[np.uint64],
    num_keywords: int,
) -> LabelledBatch:
    """Packs rows of a table into one batch.

    Args:
        table: of the rows.
        rows: their numbers, in the order of the packed row.
        masking: how much is corrupted.
        keys: (num_rows,), see `random_words`.
        num_keywords: classes of the task of several labels.
    """
    sequences = [Tokens(table.letters(row), _KIND_OF_NUMBER[int(table.molecules[row])]) for row in rows]
    packed = pack_tokens(sequences)
    ids, molecules = packed.ids.numpy(), packed.molecules.numpy()
    begins = packed.cu_seqlens.numpy()[:-1].astype(np.int64)
    lengths = np.array([len(tokens.ids) for tokens in sequences], dtype=np.int64)
    segment = np.repeat(np.arange(len(rows)), lengths)
    place = np.arange(lengths.sum()) - np.repeat(np.cumsum(lengths) - lengths, lengths)
    at = begins[segment] + 1 + place
    words = random_words(np.repeat(keys, lengths), place)
    letters = ids[at]
    ids[at], selected = mask_letters(letters, molecules[at], masking, words)
    labels = {}
    for task, number in MASK_TASKS.items():
        own = selected & (molecules[at] == number)
        labels[task] = _labels(at[own], segment[own], letters[own].astype(np.int64))
    for task, level in LEVELS.items():
        if level == "span":
            labels[task] = _of_spans(table, task, rows, begins)
        elif level == "token":
            labels[task] = _of_coordinates(table, rows, begins)
        elif is_of_several_labels(task):
            labels[task] = _of_several(table, task, rows, begins, num_keywords)
        else:
            found = np.array([table.label(task, row) for row in rows], dtype=np.int64)
            known = np.flatnonzero(found != IGNORE)
            labels[task] = _labels(begins[known], known, found[known])
    assert tuple(labels) == TASKS
    return LabelledBatch(packed.ids, packed.molecules, packed.cu_seqlens, labels, int(lengths.sum()))


def _labels(at: NDArray, segment: NDArray, values: NDArray) -> Labels:
    return Labels(torch.from_numpy(at), torch.from_numpy(segment), torch.from_numpy(values))


def _joined(at: list[NDArray], segment: list[Any], values: list[NDArray], empty: NDArray) -> Labels:
    if not at:
        return _labels(np.empty(0, np.int64), np.empty(0, np.int64), empty)
    of_each = np.repeat(np.array(segment, dtype=np.int64), [len(x) for x in at])
    return _labels(np.concatenate(at), of_each, np.concatenate(values))


def _of_spans(table: RowTable, task: str, rows: Sequence[int], begins: NDArray[np.int64]) -> Labels:
    at, segments, values = [], [], []
    for segment, row in enumerate(rows):
        if table.has_spans(task, row):
            found = table.label_of_letters(task, row)
            known = np.flatnonzero(found != IGNORE)
            at.append(begins[segment] + 1 + known)
            segments.append(segment)
            values.append(found[known])
    return _joined(at, segments, values, np.empty(0, np.int64))


def _of_coordinates(table: RowTable, rows: Sequence[int], begins: NDArray[np.int64]) -> Labels:
    at, segments, values = [], [], []
    for segment, row in enumerate(rows):
        coordinates = table.coordinates(row)
        if coordinates is not None:
            known = np.flatnonzero(~np.isnan(coordinates[:, 0]))
            at.append(begins[segment] + 1 + known)
            segments.append(segment)
            values.append(coordinates[known])
    return _joined(at, segments, values, np.empty((0, 3), np.float32))


def _of_several(
    table: RowTable, task: str, rows: Sequence[int], begins: NDArray[np.int64], num_classes: int
) -> Labels:
    own = enumerate(rows) if num_classes else ()  # a model without this head learns nothing of it
    found = [(segment, table.several(task, row)) for segment, row in own]
    known = [(segment, classes) for segment, classes in found if len(classes)]
    values = np.zeros((len(known), num_classes), dtype=np.float32)
    for index, (_, classes) in enumerate(known):
        values[index, classes] = 1.0
    segments = np.array([segment for segment, _ in known], dtype=np.int64)
    return _labels(begins[segments], segments, values)
