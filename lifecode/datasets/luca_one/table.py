"""Rows as arrays: what a training step reads of them without touching Python objects.

Letters are tokens and labels are numbers of classes; a row longer than the model reads is cut into the fewest
pieces of about equal length, each with its own part of the labels. Coordinates are scaled before they are
cut: per protein and axis to 0 … 1, over the atoms that are known.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from lifecode.alphabet import IGNORE
from lifecode.datasets.luca_one.label_names import LabelNames, LabelNumbers
from lifecode.datasets.luca_one.rows import Label, LucaOneRow
from lifecode.datasets.luca_one.tasks import is_of_several_labels
from lifecode.models.luca_one.heads import LEVELS
from lifecode.models.luca_one.vocabulary import NUMBER_OF_KIND, Kind, tokens_of_letters

_KIND: dict[str, Kind] = {"gene": "nucleic acid", "protein": "protein"}
_SPAN_TASKS = [task for task, level in LEVELS.items() if level == "span"]
_ONE_LABEL = [t for t, level in LEVELS.items() if level == "sequence" and not is_of_several_labels(t)]
_SEVERAL = [task for task in LEVELS if is_of_several_labels(task)]


class Spans(NamedTuple):
    """Labelled spans of one task (n,), by rows in their order.

    Attributes:
        start: 0-based, counted in the row.
        end: included.
        label: number of the class.
    """

    start: NDArray[np.int32]
    end: NDArray[np.int32]
    label: NDArray[np.int32]


@dataclass(frozen=True, slots=True)
class RowTable:
    """Rows of one split.

    Attributes:
        arrays: by name: `letters` (N,) and `offsets` (n + 1,), `molecules` (n,), for each
            task its labels, and borders where a row has any number of them.
        left_out: labels that training rows do not have, by task.
        num_cut: rows that were longer than a row may be, and stand here in pieces.
    """

    arrays: dict[str, NDArray]
    left_out: dict[str, int]
    num_cut: int

    def __len__(self) -> int:
        return len(self.arrays["molecules"])

    @property
    def offsets(self) -> NDArray[np.int64]:
        """(n + 1,) borders of the rows in the letters."""
        return self.arrays["offsets"]

    @property
    def molecules(self) -> NDArray[np.uint8]:
        """(n,) 0 for a gene, 1 for a protein."""
        return self.arrays["molecules"]

    def letters(self, row: int) -> NDArray[np.uint8]:
        """Tokens of a row."""
        return self.arrays["letters"][self.offsets[row] : self.offsets[row + 1]]

    def spans(self, task: str, row: int) -> Spans:
        """The spans of a task in a row."""
        borders = self.arrays[f"{task}.borders"]
        return Spans(*self.arrays[task][:, borders[row] : borders[row + 1]])

    def has_spans(self, task: str, row: int) -> bool:
        """Whether a row has any span of a task."""
        borders = self.arrays[f"{task}.borders"]
        return bool(borders[row + 1] > borders[row])

    def label_of_letters(self, task: str, row: int) -> NDArray[np.int64]:
        """The class of each letter of a row (length,), `IGNORE` where none is known.

        Where spans of a task overlap, the later one says what a letter is.
        """
        found = np.full(int(self.offsets[row + 1] - self.offsets[row]), IGNORE, dtype=np.int64)
        for start, end, label in zip(*self.spans(task, row), strict=True):
            found[start : end + 1] = label
        return found

    def label(self, task: str, row: int) -> int:
        """The class of a row, or `IGNORE`."""
        return int(self.arrays[task][row])

    def several(self, task: str, row: int) -> NDArray[np.int32]:
        """The classes of a row for a task of several, none where they are unknown."""
        borders = self.arrays[f"{task}.borders"]
        return self.arrays[task][borders[row] : borders[row + 1]]

    def coordinates(self, row: int) -> NDArray[np.float32] | None:
        """Scaled coordinates (length, 3), NaN where unknown; None without a structure."""
        begin = int(self.arrays["prot_structure.begins"][row])
        length = int(self.offsets[row + 1] - self.offsets[row])
        return None if begin < 0 else self.arrays["prot_structure"][begin : begin + length]

    @property
    def tasks(self) -> list[str]:
        """The tasks of which any row has a label."""
        return [task for task in LEVELS if self.num_labelled(task)]

    def num_labelled(self, task: str) -> int:
        """Rows that have a label of a task."""
        if LEVELS[task] == "token":
            return int((self.arrays["prot_structure.begins"] >= 0).sum())
        if task in _ONE_LABEL:
            return int((self.arrays[task] != IGNORE).sum())
        return int((np.diff(self.arrays[f"{task}.borders"]) > 0).sum())


def row_table(rows: Iterable[LucaOneRow], names: LabelNames, longest: int) -> RowTable:
    """Rows as arrays.

    Args:
        rows: of one split.
        names: classes of the labels; a label that is none of them is left out and counted.
        longest: letters of a piece.

    Raises:
        UserError: a character that is no letter, the number of a class where classes have names, or a name
            where they are numbers; it names the row.
    """
    builder = _Builder(LabelNumbers(names))
    for row in rows:
        builder.num_cut += len(row.sequence) > longest
        for piece in _pieces(row, longest):
            builder.add(piece)
    return builder.table()


class _Piece(NamedTuple):
    row: LucaOneRow
    ids: NDArray[np.uint8]
    start: int
    stop: int
    scaled: NDArray[np.float32] | None


def _pieces(row: LucaOneRow, longest: int) -> Iterator[_Piece]:
    ids = tokens_of_letters(row.sequence, _KIND[row.molecule], record=row.id)
    scaled = None if row.coordinates is None else scaled_coordinates(row.coordinates)
    num_pieces = -(-len(ids) // longest)
    borders = [number * len(ids) // num_pieces for number in range(num_pieces + 1)]
    for start, stop in pairwise(borders):
        yield _Piece(row, ids[start:stop], start, stop, None if scaled is None else scaled[start:stop])


def scaled_coordinates(coordinates: NDArray[np.floating]) -> NDArray[np.float32]:
    """Coordinates (length, 3) of one protein with each axis scaled to 0 … 1; an axis without extent is 0.

    NaN stays NaN, in all three axes where one is.
    """
    scaled = np.array(coordinates, dtype=np.float64)
    scaled[np.isnan(scaled).any(axis=1)] = np.nan
    known = scaled[~np.isnan(scaled[:, 0])]
    if len(known):
        low, high = known.min(axis=0), known.max(axis=0)
        scaled = (scaled - low) / np.where(high > low, high - low, 1.0)
    return scaled.astype(np.float32)


class _Builder:
    def __init__(self, numbers: LabelNumbers) -> None:
        self.numbers = numbers
        self.letters: list[NDArray[np.uint8]] = []
        self.molecules: list[int] = []
        self.spans: dict[str, list[tuple[int, int, int]]] = {task: [] for task in _SPAN_TASKS}
        self.labels: dict[str, list[int]] = {task: [] for task in (*_ONE_LABEL, *_SEVERAL)}
        self.borders: dict[str, list[int]] = {task: [0] for task in (*_SPAN_TASKS, *_SEVERAL)}
        self.coordinates: list[NDArray[np.float32]] = []
        self.begins: list[int] = []
        self.left_out: dict[str, int] = {}
        self.num_cut = 0
        self._num_atoms = 0

    def add(self, piece: _Piece) -> None:
        row = piece.row
        self.letters.append(piece.ids)
        self.molecules.append(NUMBER_OF_KIND[_KIND[row.molecule]])
        for task in _SPAN_TASKS:
            for start, end, name in row.spans.get(task, ()):
                if start >= piece.stop or end < piece.start:
                    continue
                label = self._number(task, name, row)
                if label is not None:
                    first, last = max(start, piece.start), min(end, piece.stop - 1)
                    self.spans[task].append((first - piece.start, last - piece.start, label))
            self.borders[task].append(len(self.spans[task]))
        for task in _ONE_LABEL:
            name = row.labels.get(task)
            assert not isinstance(name, tuple)
            label = None if name is None else self._number(task, name, row)
            self.labels[task].append(IGNORE if label is None else label)
        for task in _SEVERAL:
            own = row.labels.get(task) or ()
            assert isinstance(own, tuple)
            found = [self._number(task, name, row) for name in sorted(set(own), key=str)]
            self.labels[task] += [label for label in found if label is not None]
            self.borders[task].append(len(self.labels[task]))
        if piece.scaled is None or np.isnan(piece.scaled).all():
            self.begins.append(-1)
        else:
            self.begins.append(self._num_atoms)
            self.coordinates.append(piece.scaled)
            self._num_atoms += len(piece.scaled)

    def _number(self, task: str, label: Label, row: LucaOneRow) -> int | None:
        number = self.numbers.of(task, label, row.id)
        if number is None:
            self.left_out[task] = self.left_out.get(task, 0) + 1
        return number

    def table(self) -> RowTable:
        lengths = [len(ids) for ids in self.letters]
        arrays: dict[str, NDArray] = {
            "letters": _joined(self.letters, np.empty(0, np.uint8)),
            "offsets": np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64),
            "molecules": np.array(self.molecules, dtype=np.uint8),
            "prot_structure": _joined(self.coordinates, np.empty((0, 3), np.float32)),
            "prot_structure.begins": np.array(self.begins, dtype=np.int64),
        }
        for task in _SPAN_TASKS:
            arrays[task] = np.array(self.spans[task], dtype=np.int32).reshape(-1, 3).T.copy()
        for task in self.labels:
            arrays[task] = np.array(self.labels[task], dtype=np.int32)
        for task, borders in self.borders.items():
            arrays[f"{task}.borders"] = np.array(borders, dtype=np.int64)
        return RowTable(arrays, self.left_out, self.num_cut)


def _joined(parts: Sequence[NDArray], empty: NDArray) -> NDArray:
    return np.concatenate(parts) if parts else empty
