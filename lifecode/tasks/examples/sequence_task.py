"""A task of labelled sequences, as one config says it: files, columns, kind of label, metric, split."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal, NamedTuple

import numpy as np

from lifecode.errors import UserError
from lifecode.tasks.examples.columns import Columns, find_columns, other_sequences
from lifecode.tasks.examples.examples import Examples, examples_of, joined
from lifecode.tasks.examples.joined_classes import BETWEEN_LABELS
from lifecode.tasks.examples.label_columns import classes_of_columns, with_joined_labels
from lifecode.tasks.examples.labels import LabelKind, Labels, Transform, Unit, labels_of
from lifecode.tasks.examples.molecule import (
    Molecule,
    MoleculeWord,
    is_in_frame,
    molecule_named,
    molecule_of,
)
from lifecode.tasks.examples.named_letters import LETTERS, column_of_names, fasta_by_name, with_letters
from lifecode.tasks.examples.position_labels import UNLABELLED, labels_in, position_numbers
from lifecode.tasks.examples.table import Table, read_table

_SPLITS = frozenset({"train", "training", "valid", "validation", "val", "dev", "test"})
Files = str | list[str]


def listed(files: Files) -> list[str]:
    """One file, or several, as a list."""
    return [files] if isinstance(files, str) else files


@dataclass(frozen=True, slots=True, kw_only=True)
class SequenceTask:
    """Sequences with one label each, or one for each of their positions.

    Args:
        train: file or files of examples: CSV, TSV, Parquet or FASTA.
        validation: further examples, where a benchmark sets them apart. A probe learns from them too and
            chooses its strength inside all; other tunings judge epochs and the grid by them.
        test: examples that nothing is chosen on; None holds out folds of `train` in turn.
        sequence: column of the sequences, or of their names in `fasta`; None finds it by its letters, or by
            these names.
        fasta: file that holds the sequences by name; None where they stand in the table.
        label: column of the labels; None finds it by its name, or takes the only one left. Several columns
            are each a class, 1 where a sequence has it, else 0.
        id: column of the ids; None takes one that is called id, seq_id, gene_id or name, False none.
        where: value of a column, by its name, of the rows to keep; None keeps all.
        molecule: `cds` is read in its frame, `dna` (or `rna`, `gene`, `nucleotide`) in all three; `protein`
            (or `prot`) has to be said; None looks at the sequences.
        unit: what has a label: the sequence, or each `codon`, `nucleotide` or `residue` of it, as a string of
            one letter a position or separated by spaces or commas; `.` for one without.
        kind: None reads it off the labels; `multilabel`, which has to be said, is any number of classes for a
            sequence, joined by `;`.
        transform: `log` learns and measures the natural logarithm of a regression's labels; rows without one
            are left out. Predictions are in the units of the labels.
        metric: by which models are compared; None takes Matthews correlation, or Spearman's for a regression.
        keep_together: of folds: rows of equal `id` or sequence stay together; `clusters` also sequences that
            resemble each other.
        cluster_similarity: Jaccard index of k-mers from which on two sequences do.
        published: figures of others to show beside ours, metric by name.
    """

    train: Files
    validation: Files | None = None
    test: Files | None = None
    sequence: str | None = None
    fasta: str | None = None
    label: str | list[str] | None = None
    id: str | bool | None = None
    where: dict[str, str | int | float] | None = None
    molecule: MoleculeWord | None = None
    unit: Unit = "sequence"
    kind: LabelKind | None = None
    transform: Transform | None = None
    metric: str | None = None
    keep_together: Literal["equal", "clusters"] = "equal"
    cluster_similarity: float = 0.3
    published: dict[str, dict[str, float]] | None = None

    def __post_init__(self) -> None:
        if not 0 < self.cluster_similarity <= 1:
            raise UserError("does not lie in (0, 1]", source="task.cluster_similarity")
        if self.kind == "multilabel" and self.unit != "sequence":
            raise UserError(f"is multilabel, and task.unit is {self.unit}", source="task.kind")
        of_protein = self.molecule in ("protein", "prot")
        if self.unit != "sequence" and of_protein != (self.unit == "residue"):
            what = "proteins" if of_protein else "no proteins"
            raise UserError(
                f"is {self.unit}, and the sequences are {what}",
                source="task.unit",
                remedy="Use residue with task.molecule=protein, nucleotide or codon with any other",
            )
        if self.transform is not None and self.unit != "sequence":
            raise UserError(f"is given, and task.unit is {self.unit}", source="task.transform")
        if isinstance(self.label, list) and (
            self.kind not in (None, "multilabel") or self.unit != "sequence"
        ):
            raise UserError(
                "names several columns, which are classes of whole sequences",
                source="task.label",
                remedy="Leave task.kind and task.unit out, or name one column",
            )


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
    first = tables["train"][0]
    said = None if task.molecule is None else molecule_named(task.molecule)
    columns = find_columns(first, sequence=task.sequence, label=label, id=task.id, molecule=said)
    notes = []
    without = [table for of_split in tables.values() for table in of_split if columns.id not in table.columns]
    if task.id is None and columns.id is not None and without:
        notes.append(f"{without[0].source} has no column {columns.id!r}: rows are known by their numbers")
        columns = columns._replace(id=None)
    assert columns.label is not None
    if task.transform == "log":
        tables = {
            name: [_positive(table, columns.label, notes) for table in of_split]
            for name, of_split in tables.items()
        }
    texts = [text for table in tables["train"] for text in table.column(columns.label, "task.label")]
    if task.unit != "sequence":
        texts = [label for text in texts for label in labels_in(text) if label != UNLABELLED]
    if classes is None:
        labels = labels_of(texts, first.source, columns.label, "regression" if task.transform else task.kind)
    else:
        labels = Labels("multilabel", classes)
    labels = replace(labels, unit=task.unit, transform=task.transform)
    if task.transform == "log":
        notes.append(
            f"learnt and measured are natural logarithms of {columns.label!r}; predictions are in its units"
        )
    splits = {
        name: joined([_examples(table, columns, labels, said) for table in of_split])
        for name, of_split in tables.items()
    }
    require_own_ids({name: examples.ids for name, examples in splits.items() if examples.has_ids})
    train = joined([splits[name] for name in ("train", "validation") if name in splits])
    molecule = said or molecule_of(train.sequences)
    frame = {"cds": ", read in frame", "dna": ", no common reading frame", "protein": ""}[molecule]
    ids = "" if columns.id is None else f", ids in {columns.id!r}"
    notes.insert(
        0,
        f"{len(train):,} examples of {first.source}: sequences in {columns.sequence!r} "
        f"({molecule}{frame}), labels in {columns.label!r} ({labels.described()}){ids}",
    )
    notes += [*labels.oddities(), *_oddities(joined(list(splits.values())), labels, molecule)]
    if molecule != "protein" and (others := other_sequences(first, columns)):
        named = ", ".join(map(repr, others))
        notes.append(
            f"{named} of {first.source} holds sequences too, which are not read; of pairs: task=pair"
        )
    notes += [
        f"{name!r} of {first.source} says {', '.join(sorted(set(values)))} and splits nothing: use files"
        for name, values in first.columns.items()
        if name not in (*columns, *(task.where or {})) and _SPLITS.issuperset(map(str.lower, values))
    ]
    num_validation = len(splits["validation"]) if "validation" in splits else 0
    return TaskData(labels, train, num_validation, splits.get("test"), molecule, notes)


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
    values = Labels("regression").numbers(table.column(label, "task.label"), table.source, label, table.rows)
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
