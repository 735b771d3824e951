"""A task of labelled pairs, as one config says it: tables of sequences, or of names in FASTA files."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from lifecode.errors import UserError
from lifecode.tasks.examples.columns import ID_NAMES
from lifecode.tasks.examples.kind_of_labels import labels_of
from lifecode.tasks.examples.labels import Labels, OneLabel
from lifecode.tasks.examples.molecule import MoleculeWord, molecule_named
from lifecode.tasks.examples.named_letters import fasta_by_name, letters_of_rows
from lifecode.tasks.examples.sequence_task import Files, listed
from lifecode.tasks.examples.table import Table, read_table
from lifecode.tasks.examples.task_data import require_own_ids
from lifecode.tasks.pairs.pair_examples import KeepTogether, PairExamples
from lifecode.tasks.pairs.side import Side, SideKind, canonical, kind_of, require_letters

_LABELS = ("label", "label_index", "label_idx", "target", "class", "y")


@dataclass(frozen=True, slots=True, kw_only=True)
class PairTask:
    """Pairs of sequences with one label each.

    Args:
        train: file or files of pairs: CSV, TSV or Parquet.
        validation: further pairs to learn from.
        test: pairs that nothing is chosen on; None holds out folds of `train` in turn.
        columns: names of the columns of tables that have no header; None reads them from the first line.
        first: column of the first sequences, or of their names in `first_fasta`.
        second: likewise of the second ones.
        label: column of the labels; None finds it by its name.
        id: column of the ids; None takes one that is called so, else names in FASTA files, or row numbers, as
            False does.
        first_fasta: file that holds the first sequences by name; None where they stand in the table.
        second_fasta: likewise.
        first_kind: `dna` (or `rna`, `gene`, `nucleotide`; any frame), `cds` (in frame) or `protein` (or
            `prot`); None looks at the letters.
        second_kind: likewise.
        kind: None reads it off the labels.
        metric: by which models are compared; None takes Matthews correlation, or Spearman's for a regression.
        keep_together: of folds: equal pairs; `first` or `second` also all pairs of one sequence of that side,
            so that held-out pairs have new ones.
        published: figures of others to show beside ours, metric by name.
    """

    train: Files
    validation: Files | None = None
    test: Files | None = None
    columns: list[str] | None = None
    first: str = "first"
    second: str = "second"
    label: str | None = None
    id: str | bool | None = None
    first_fasta: str | None = None
    second_fasta: str | None = None
    first_kind: MoleculeWord | None = None
    second_kind: MoleculeWord | None = None
    kind: OneLabel | None = None
    metric: str | None = None
    keep_together: KeepTogether = "pairs"
    published: dict[str, dict[str, float]] | None = None

    @property
    def kinds(self) -> tuple[SideKind | None, SideKind | None]:
        """What the words for both sides mean; None where the letters say it."""
        first, second = self.first_kind, self.second_kind
        return first and molecule_named(first), second and molecule_named(second)


class PairData(NamedTuple):
    """What the files of a task hold; as `TaskData`."""

    labels: Labels
    train: PairExamples
    num_validation: int
    test: PairExamples | None
    notes: list[str]


class _Rows(NamedTuple):
    first: list[str]
    second: list[str]
    labels: list[str]
    names: list[str]
    has_ids: bool
    """Whether a column holds these names."""
    are_numbers: bool
    """Whether they are numbers of rows."""
    source: str


def read_pairs(task: PairTask) -> PairData:
    """Read the files of a task; without a test file equal pairs are kept once, and none with two labels.

    Raises:
        UserError: a file, column, name or label that is not as the task says.
    """
    sides = [fasta_by_name(task.first_fasta), fasta_by_name(task.second_fasta)]
    splits = {
        name: [_rows(_read(path, task), task, sides) for path in listed(files)]
        for name, files in (("train", task.train), ("validation", task.validation), ("test", task.test))
        if files is not None
    }
    return _data_of_pairs(task, splits)


def _data_of_pairs(task: PairTask, splits: Mapping[str, Sequence[_Rows]]) -> PairData:
    """What rows that have been read are learnt as."""
    notes: list[str] = []
    given = {
        split: [name for part in parts if part.has_ids for name in part.names]
        for split, parts in splits.items()
    }
    require_own_ids(given)
    train = [*splits["train"], *splits.get("validation", [])]
    first_of_validation = sum(len(rows.labels) for rows in splits["train"])
    num_validation = sum(len(rows.labels) for rows in train) - first_of_validation
    column = task.label or "label"
    labels = _labels(train, column, task.kind)  # names rows as they stand in the files; then equal pairs go
    first, second = task.kinds
    kinds = (
        first or kind_of([text for rows in train for text in rows.first]),
        second or kind_of([text for rows in train for text in rows.second]),
    )
    if task.test is None:
        rows, kept = _distinct(_joined(train), kinds, notes)
        train, num_validation = [rows], sum(number >= first_of_validation for number in kept)
        labels = _labels(train, column, task.kind)
    source = train[0].source
    notes += labels.oddities()
    for part in (part for parts in splits.values() for part in parts):
        require_letters(part.first, kinds[0], task.first, part.source)
        require_letters(part.second, kinds[1], task.second, part.source)
    learnt = _examples(train, labels, kinds, column)
    test = _examples(splits["test"], labels, kinds, column) if "test" in splits else None
    notes.insert(
        0,
        f"{len(learnt):,} pairs of {source}: {len(learnt.first.letters):,} different {kinds[0]} and "
        f"{len(learnt.second.letters):,} different {kinds[1]} sequences, labels {labels.described()}",
    )
    return PairData(labels, learnt, num_validation, test, notes)


def _labels(train: Sequence[_Rows], column: str, kind: OneLabel | None) -> Labels:
    """Kind and classes of the rows of all files, each of which is one of these."""

    def place(label: str) -> tuple[str, str]:
        rows = next(rows for rows in train if label in rows.labels)
        return rows.source, f"in row {rows.labels.index(label) + 1}"

    texts = [text for rows in train for text in rows.labels]
    labels = labels_of(texts, train[0].source, column, kind, place)
    for rows in train:
        labels.numbers(rows.labels, rows.source, column)
    return labels


def _read(path: str, task: PairTask) -> Table:
    return read_table(path, task.columns)


def _rows(table: Table, task: PairTask, sides: Sequence[Mapping[str, str] | None]) -> _Rows:
    found = (name for wanted in _LABELS for name in table.columns if name.lower() == wanted)
    label = task.label or next(found, "label")
    first = letters_of_rows(table, task.first, "task.first", sides[0], task.first_fasta)
    second = letters_of_rows(table, task.second, "task.second", sides[1], task.second_fasta)
    taken = (task.first, task.second, label)
    if task.id is True:
        raise UserError("is no column", source="task.id", remedy="Give the name of one, or false for none")
    called = (name for name in table.columns if name.lower() in ID_NAMES and name not in taken)
    id = next(called, None) if task.id is None else task.id or None
    if id is not None:
        names = table.column(id, "task.id")
    elif sides[0] is None and sides[1] is None:
        names = list(map(str, table.rows))
    else:
        both = zip(table.columns[task.first], table.columns[task.second], strict=True)
        names = [f"{a} {b}" for a, b in both]
    labels = table.column(label, "task.label")
    if "" in labels:
        raise UserError(
            f"column {label!r} is empty",
            source=table.source,
            record=f"in row {labels.index('') + 1}",
            remedy="Give a label, or remove the row",
        )
    are_numbers = id is None and sides[0] is None and sides[1] is None
    return _Rows(first, second, labels, names, id is not None, are_numbers, table.source)


def _joined(parts: Sequence[_Rows]) -> _Rows:
    """The rows of several files; those without a name of their own are numbered on."""
    names, last = [], 0
    for rows in parts:
        numbers = [last + int(name) for name in rows.names] if rows.are_numbers else []
        names += map(str, numbers) if numbers else rows.names
        last = max([last, *numbers])
    return _Rows(
        [text for rows in parts for text in rows.first],
        [text for rows in parts for text in rows.second],
        [text for rows in parts for text in rows.labels],
        names,
        all(rows.has_ids for rows in parts),
        all(rows.are_numbers for rows in parts),
        parts[0].source,
    )


def _distinct(rows: _Rows, kinds: tuple[SideKind, SideKind], notes: list[str]) -> tuple[_Rows, list[int]]:
    """Each pair once, and no pair that stands there with two labels; and the numbers of these rows."""
    seen: dict[tuple[str, str], tuple[int, set[str]]] = {}
    for number, (a, b, label) in enumerate(zip(rows.first, rows.second, rows.labels, strict=True)):
        pair = canonical(a, kinds[0]), canonical(b, kinds[1])
        seen.setdefault(pair, (number, set()))[1].add(label)
    kept = [number for number, labels in seen.values() if len(labels) == 1]
    conflicting = len(seen) - len(kept)
    if len(kept) < len(rows.labels):
        notes.append(
            f"{len(rows.labels):,} rows of {rows.source} are {len(seen):,} different pairs, "
            f"{conflicting:,} of them with two labels and left out"
        )
    distinct = rows._replace(
        first=[rows.first[i] for i in kept],
        second=[rows.second[i] for i in kept],
        labels=[rows.labels[i] for i in kept],
        names=[rows.names[i] for i in kept],
    )
    return distinct, kept


def _examples(
    parts: Sequence[_Rows], labels: Labels, kinds: tuple[SideKind, SideKind], column: str
) -> PairExamples:
    numbers = [labels.numbers(rows.labels, rows.source, column) for rows in parts]
    return PairExamples(
        _joined(parts).names,
        Side.of([text for rows in parts for text in rows.first], kinds[0]),
        Side.of([text for rows in parts for text in rows.second], kinds[1]),
        np.concatenate(numbers),
    )
