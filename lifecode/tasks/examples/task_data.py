"""What the files of a task of labelled sequences hold: labels, examples of each split, and what was found."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import NamedTuple

import numpy as np

from lifecode.errors import UserError
from lifecode.tasks.examples.columns import Columns, find_columns, other_sequences
from lifecode.tasks.examples.examples import Examples, examples_of, joined, numbered_on
from lifecode.tasks.examples.joined_classes import BETWEEN_LABELS, classes_in
from lifecode.tasks.examples.kind_of_labels import labels_of
from lifecode.tasks.examples.label_columns import classes_of_columns, with_joined_labels
from lifecode.tasks.examples.labels import Labels
from lifecode.tasks.examples.molecule import Molecule, is_in_frame, molecule_named, molecule_of
from lifecode.tasks.examples.named_letters import LETTERS, column_of_names, fasta_by_name, with_letters
from lifecode.tasks.examples.position_labels import IGNORED, UNLABELLED, labels_in, position_numbers
from lifecode.tasks.examples.sequence_task import Files, SequenceTask, listed
from lifecode.tasks.examples.table import Table, read_table

_SPLITS = frozenset({"train", "training", "valid", "validation", "val", "dev", "test"})


class TaskData(NamedTuple):
    """What the files of a task hold.

    Attributes:
        labels: kind and classes, by the training files alone.
        train: examples to learn from, those of `validation` behind them.
        num_validation: how many are of `validation`.
        test: None where folds are held out.
        molecule: what the sequences are.
        notes: what was found rather than said, a line each.
    """

    labels: Labels
    train: Examples
    num_validation: int
    test: Examples | None
    molecule: Molecule
    notes: list[str]


def read_task(task: SequenceTask) -> TaskData:
    """Read the files of a task.

    Raises:
        UserError: a file, column or label that is not as the task says, or an id in two splits.
    """
    tables = {
        name: _tables(files, task.where or {})
        for name, files in (("train", task.train), ("validation", task.validation), ("test", task.test))
        if files is not None
    }
    by_name = fasta_by_name(task.fasta)
    if by_name is not None and task.fasta is not None:
        path = task.fasta
        column = task.sequence or column_of_names(tables["train"][0], by_name, path)
        tables = {
            name: [with_letters(table, by_name, path, column) for table in of_split]
            for name, of_split in tables.items()
        }
        task = replace(task, sequence=LETTERS, id=column if task.id is None else task.id)
    return data_of(task, tables)


def data_of(task: SequenceTask, tables: Mapping[str, Sequence[Table]]) -> TaskData:
    """What a task is learnt from, of tables that have been read: `train`, perhaps `validation` and `test`.

    Raises:
        UserError: a column or label that is not as the task says, or an id in two splits.
    """
    label, classes = task.label, None
    if isinstance(label, list):
        classes = classes_of_columns(label)
        label = BETWEEN_LABELS.join(classes)
        tables = {
            name: [with_joined_labels(table, classes) for table in of_split]
            for name, of_split in tables.items()
        }
    first, notes = tables["train"][0], []
    said = None if task.molecule is None else molecule_named(task.molecule)
    columns = find_columns(first, sequence=task.sequence, label=label, id=task.id, molecule=said)
    columns = _with_common_id(columns, task, tables, notes)
    assert columns.label is not None
    if task.transform == "log":
        tables = {
            name: [_positive(table, columns.label, notes) for table in of_split]
            for name, of_split in tables.items()
        }
        notes.append(
            f"learnt and measured are natural logarithms of {columns.label!r}; predictions are in its units"
        )
    labels = _labels(task, classes, tables["train"], columns.label, notes)
    splits = {
        name: numbered_on([_examples(table, columns, labels, said) for table in of_split])
        for name, of_split in tables.items()
    }
    require_own_ids({name: examples.ids for name, examples in splits.items() if examples.has_ids})
    train = numbered_on([splits[name] for name in ("train", "validation") if name in splits])
    molecule = said or molecule_of(train.sequences)
    frame = {"cds": ", read in frame", "dna": ", no common reading frame", "protein": ""}[molecule]
    ids = "" if columns.id is None else f", ids in {columns.id!r}"
    found = (
        f"{len(train):,} examples of {first.source}: sequences in {columns.sequence!r} "
        f"({molecule}{frame}), labels in {columns.label!r} ({labels.described()}){ids}"
    )
    odd = [*labels.oddities(), *_oddities(joined(list(splits.values())), labels, molecule)]
    notes = [found, *notes, *odd, *_unread(first, columns, task, molecule)]
    num_validation = len(splits["validation"]) if "validation" in splits else 0
    return TaskData(labels, train, num_validation, splits.get("test"), molecule, notes)


def _with_common_id(
    columns: Columns, task: SequenceTask, tables: Mapping[str, Sequence[Table]], notes: list[str]
) -> Columns:
    """The columns, without one of ids that was found in the first table and is not in all of them."""
    without = [table for of_split in tables.values() for table in of_split if columns.id not in table.columns]
    if task.id is not None or columns.id is None or not without:
        return columns
    notes.append(f"{without[0].source} has no column {columns.id!r}: rows are known by their numbers")
    return columns._replace(id=None)


def _labels(
    task: SequenceTask,
    classes: tuple[str, ...] | None,
    train: Sequence[Table],
    column: str,
    notes: list[str],
) -> Labels:
    """Kind and classes, by the training files; `classes` where each is a column of its own."""
    cells = [text for table in train for text in table.column(column, "task.label")]
    kind = "regression" if task.transform else task.kind

    def given(cell: str) -> list[str]:
        if task.unit != "sequence":
            return [label for label in labels_in(cell) if label != UNLABELLED]
        return classes_in(cell) if kind == "multilabel" else [cell]

    def place(label: str) -> tuple[str, str]:
        for table in train:
            for row, cell in zip(table.rows, table.columns[column], strict=True):
                if label in given(cell):
                    return table.source, f"in row {row}"
        raise AssertionError(label)

    if classes is None:
        texts = cells if task.unit == "sequence" else [label for cell in cells for label in given(cell)]
        own = texts if task.unit == "sequence" else [text for text in texts if text not in IGNORED]
        labels = labels_of(own, train[0].source, column, kind, place)
        if labels.classes and len(own) < len(texts):
            notes.append(f"positions whose label is {min(IGNORED)} are taken for such without one")
    else:
        labels = Labels("multilabel", classes)
    return replace(labels, unit=task.unit, transform=task.transform)


def _unread(table: Table, columns: Columns, task: SequenceTask, molecule: Molecule) -> list[str]:
    """Other columns that a user may have meant: of sequences, and of splits."""
    notes = []
    if molecule != "protein" and (others := other_sequences(table, columns)):
        named = ", ".join(map(repr, others))
        notes.append(
            f"{named} of {table.source} holds sequences too, which are not read; of pairs: task=pair"
        )
    return notes + [
        f"{name!r} of {table.source} says {', '.join(sorted(set(values)))} and splits nothing: use files"
        for name, values in table.columns.items()
        if name not in (*columns, *(task.where or {})) and _SPLITS.issuperset(map(str.lower, values))
    ]


def _oddities(examples: Examples, labels: Labels, molecule: Molecule) -> list[str]:
    """What is likely not meant: coding sequences out of frame, one sequence with labels of two classes."""
    notes = []
    out = 0 if molecule != "cds" else sum(not is_in_frame(ids) for ids in examples.sequences)
    if out:
        notes.append(
            f"{out:,} of {len(examples):,} coding sequences are not whole codons without a stop inside; "
            "codons are read from the first letter on"
        )
    if labels.classes and labels.unit == "sequence":
        of_each: dict[bytes, set[bytes]] = {}
        for ids, label in zip(examples.sequences, examples.labels, strict=True):
            of_each.setdefault(ids.tobytes(), set()).add(label.tobytes())
        if contrary := sum(len(found) > 1 for found in of_each.values()):
            notes.append(f"{contrary:,} different sequences stand there with different labels")
    return notes


def _tables(files: Files, where: Mapping[str, str | int | float]) -> list[Table]:
    paths = listed(files)
    if not paths:
        raise UserError("names no file", source="task", remedy="Give task.train=FILE")
    return [_kept(read_table(path), where) for path in paths]


def _kept(table: Table, where: Mapping[str, str | int | float]) -> Table:
    rows = np.ones(len(table), dtype=bool)
    for name, value in where.items():
        rows &= np.array([_is_equal(text, value) for text in table.column(name, "task.where")])
    if not rows.any():
        asked = ", ".join(f"{name} {value}" for name, value in where.items())
        raise UserError(f"has no row of {asked}", source=table.source, remedy="Change task.where")
    return table.at(np.flatnonzero(rows).tolist())


def _is_equal(text: str, value: str | float) -> bool:
    """Whether a text of a table is a value; 1.0, which pandas makes of 1, is 1."""
    if text == str(value):
        return True
    try:
        return float(text) == float(value)
    except ValueError:
        return False


def _positive(table: Table, label: str, notes: list[str]) -> Table:
    """The rows whose label has a logarithm."""
    texts, log = table.column(label, "task.label"), Labels("regression", transform="log")
    values = log.numbers(texts, table.source, label, table.rows)
    rows = np.flatnonzero(values > 0).tolist()
    if len(rows) < len(table):
        notes.append(f"{len(table) - len(rows):,} rows of {table.source} left out: {label!r} is not above 0")
    if not rows:
        raise UserError(
            f"has no {label!r} above 0", source=table.source, remedy="Leave task.transform=log out"
        )
    return table.at(rows)


def _examples(table: Table, columns: Columns, labels: Labels, molecule: Molecule | None) -> Examples:
    for key, name in (("task.sequence", columns.sequence), ("task.id", columns.id)):
        if name is not None:
            table.column(name, key)
    assert columns.label is not None
    texts = table.column(columns.label, "task.label")
    if labels.unit != "sequence":
        lengths = [len(sequence) for sequence in table.columns[columns.sequence]]
        return examples_of(
            table,
            columns,
            position_numbers(texts, lengths, labels, table.source, columns.label, table.rows),
            molecule or "dna",
        )
    numbers = labels.numbers(texts, table.source, columns.label, table.rows)
    return examples_of(table, columns, labels.learnt(numbers), molecule or "dna")


def require_own_ids(splits: Mapping[str, Sequence[str]]) -> None:
    """Refuses an id that stands in files of different splits; numbers of rows and empty cells are none.

    Args:
        splits: ids by the name of the split.

    Raises:
        UserError: such an id.
    """
    home: dict[str, str] = {}
    for split, ids in splits.items():
        for name in filter(None, dict.fromkeys(ids)):
            if home.setdefault(name, split) != split:
                raise UserError(
                    f"the id stands in task.{home[name]} and in task.{split}",
                    source=f"task.{split}",
                    record=name,
                    remedy="Remove one of the rows, name another column, or use none: task.id=false",
                )
