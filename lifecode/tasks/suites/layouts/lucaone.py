"""LucaOne's layout: `NAME/{gene,protein,gene_protein,...}/{binary_class,...}/{train,dev,test}/SPLIT.csv`."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from itertools import combinations
from pathlib import Path
from typing import Any

from lifecode.errors import UserError
from lifecode.models.luca_one.vocabulary import molecule_kind
from lifecode.tasks.examples.labels import LabelKind
from lifecode.tasks.examples.molecule import Molecule
from lifecode.tasks.examples.sequence_task import SequenceTask
from lifecode.tasks.examples.table import Table, read_table
from lifecode.tasks.examples.table_parts import table_parts
from lifecode.tasks.examples.task_data import TaskData, data_of
from lifecode.tasks.pairs.pair_task import PairData, PairTask, read_pairs
from lifecode.tasks.suites.benchmark import BenchmarkSet, PairSet, SequenceSet, none_found
from lifecode.tasks.suites.published import LUCAONE

_KINDS: Mapping[str, LabelKind] = {
    "binary_class": "binary",
    "multi_class": "multiclass",
    "regression": "regression",
    "multi_label": "multilabel",
}
"""Kind of labels by the name of the folder."""
_METRICS: Mapping[LabelKind, str | None] = {"regression": None, "multilabel": None}
"""Those of others than accuracy; None takes the usual one."""
_SPLITS = {"train": "train", "validation": "dev", "test": "test"}
_SIDES = {"first": "a", "second": "b"}
_LABELS = ("label", "label_index", "label_idx")


@dataclass(frozen=True, slots=True)
class LucaOne:
    """The folder `dataset`, or one task in it."""

    def sets(self, root: Path) -> Mapping[str, BenchmarkSet]:
        """Such as `central_dogma.gene_protein.binary_class`; accuracy, Spearman's or micro F1."""
        found: dict[str, BenchmarkSet] = {}
        for train in sorted(root.rglob("train/train.csv")):
            folder = train.parent.parent
            if folder.name not in _KINDS:
                continue
            unit, dataset = folder.parent, folder.parent.parent
            name = f"{dataset.name}.{unit.name}.{folder.name}"
            try:
                found[name] = _set(name, folder, _KINDS[folder.name])
            except UserError as fault:  # of this set alone: it is said when it is its turn
                task = SequenceTask(train=str(train))
                found[name] = SequenceSet(name=name, task=task, read=partial(_refused, fault))
        if not found:
            raise none_found(root, "NAME/gene/binary_class/train/train.csv or the like")
        return found


def _set(name: str, folder: Path, kind: LabelKind) -> BenchmarkSet:
    files = {split: folder / place / f"{place}.csv" for split, place in _SPLITS.items()}
    there: dict[str, Any] = {split: str(path) for split, path in files.items() if path.is_file()}
    first = next(table_parts(files["train"], 1)).columns
    there |= {"kind": kind, "metric": _METRICS.get(kind, "accuracy"), "published": LUCAONE.get(name)}
    if "seq_a" in first:  # pairs of proteins lie in `protein`, beside single ones
        if kind == "multilabel":
            return PairSet(name=name, task=PairTask(train=there["train"]), left_out="several labels a pair")
        kinds: dict[str, Any] = {
            f"{side}_kind": _molecule(first, f"seq_type_{at}") for side, at in _SIDES.items()
        }
        task = PairTask(**there, **kinds, first="seq_a", second="seq_b")
        return PairSet(name=name, task=task, read=_read_pairs)
    molecule = _molecule(first, "seq_type")
    task = SequenceTask(**there, molecule=molecule, sequence="seq", id="seq_id", label="label")
    return SequenceSet(name=name, task=task, read=_read)


def _refused(fault: UserError, task: SequenceTask) -> TaskData:
    raise fault


def _molecule(columns: Mapping[str, list[str]], name: str) -> Molecule:
    """By the first row; all are looked at where the file is read."""
    return "protein" if "prot" in "".join(columns.get(name, [])[:1]) else "dna"


def _read(task: SequenceTask) -> TaskData:
    tables = {
        split: [_single_table(Path(str(path)))]
        for split, path in (("train", task.train), ("validation", task.validation), ("test", task.test))
        if path is not None
    }
    own = [table for of_split in tables.values() for table in of_split]
    task = replace(task, molecule=_molecule_of(own, "seq_type"))
    shared = _ids_in_several(tables)
    if not shared:
        return data_of(task, tables)
    data = data_of(replace(task, id=False), tables)
    data.notes.append(f"{shared:,} ids stand in several splits, so rows are known by their numbers")
    return data


def _ids_in_several(tables: Mapping[str, list[Table]]) -> int:
    """How many ids stand in more than one split; what leaks is told by the sequences."""
    splits = [
        {name for table in of_split for name in table.columns["seq_id"]} for of_split in tables.values()
    ]
    return len({name for a, b in combinations(splits, 2) for name in a & b})


def _read_pairs(task: PairTask) -> PairData:
    """Kinds of both sides are those that the files say."""
    tables = [read_table(str(path)) for path in (task.train, task.validation, task.test) if path is not None]
    first, second = (_molecule_of(tables, f"seq_type_{side}") for side in _SIDES.values())
    return read_pairs(replace(task, first_kind=first, second_kind=second))


def _molecule_of(tables: Sequence[Table], column: str) -> Molecule:
    """What all rows say that the sequences are.

    Raises:
        UserError: a word that means neither, or rows of both.
    """
    found: set[Molecule] = set()
    for table in tables:
        for word in dict.fromkeys(table.column(column, "columns")):
            try:
                found.add("protein" if molecule_kind(word) == "protein" else "dna")
            except UserError as fault:
                problem = f"column {column!r} says {word!r}, which is no molecule"
                raise UserError(problem, source=table.source, remedy="Write gene or prot") from fault
    if len(found) > 1:
        remedy = "Give each a task of its own"
        raise UserError(f"{column!r} says genes and proteins", source=tables[0].source, remedy=remedy)
    return found.pop() if found else "dna"


def _single_table(path: Path) -> Table:
    """Columns seq_id, seq_type, seq and label.

    Raises:
        UserError: a column is missing.
    """
    table = _with_label(read_table(path))
    ids = [name.removeprefix(">") for name in table.column("seq_id", "columns")]
    columns = {name: table.column(name, "columns") for name in ("seq_type", "seq")}
    return Table(table.source, {"seq_id": ids, **columns, "label": table.columns["label"]})


def _with_label(table: Table) -> Table:
    """The same table, its label in `label`, whichever of LucaOne's names it has."""
    name = next((name for name in _LABELS if name in table.columns), None)
    if name is None:
        table.column("label", "columns")
    columns = {("label" if key == name else key): values for key, values in table.columns.items()}
    return replace(table, columns=columns)
