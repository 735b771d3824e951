"""Finished runs whose held-out rows are looked at: of `lifecode finetune`, and sets of `lifecode evaluate`.

The files of a finetuned task are read again; of a set of a suite, whose layout may read files in a way of its
own, the examples lie beside the table.
"""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from lifecode.errors import UserError
from lifecode.names import csv_cell
from lifecode.tasks.competitors.opened_task import OpenedTask, opened_task
from lifecode.tasks.examples.molecule import Molecule
from lifecode.tasks.examples.sequence_task import SequenceTask
from lifecode.tasks.examples.table import read_table
from lifecode.tasks.examples.task_data import TaskData
from lifecode.tasks.finetune import COMPARED, METRICS
from lifecode.tasks.names_in_tables import UNTRAINED
from lifecode.tasks.pairs.pair_examples import PairExamples
from lifecode.tasks.pairs.pair_task import PairData, PairTask
from lifecode.tasks.suites.kept_examples import EXAMPLES, kept_examples

_PREDICTION = re.compile(r"prediction\((.*)\)")
_SETS = "sets"


class RunSide(NamedTuple):
    """Sequences of the examples, or one side of pairs.

    Attributes:
        name: empty for sequences.
        molecule: what they are.
        sequences: ids of each distinct one.
        of_row: (n,) which of them each example has.
    """

    name: str
    molecule: Molecule
    sequences: list[NDArray[np.uint8]]
    of_row: NDArray[np.int64]


@dataclass(frozen=True, slots=True, kw_only=True)
class FinishedRun:
    """What was learnt and held out, and who was right.

    Attributes:
        name: of the folder, or of the set.
        model: in its table.
        best_baseline: or None.
        task: what was learnt.
        split: (n,) equal for rows that are held out, or learnt from, together.
        is_held_out: (n,) whether they are, by the first seed.
        sides: the sequences of the rows, or both sides of pairs.
        notes: what limits the figures.
        right: (num_held_out,) whether each model said the right class, by its name.
    """

    name: str
    model: str
    best_baseline: str | None
    task: SequenceTask | PairTask
    split: NDArray[np.int64]
    is_held_out: NDArray[np.bool_]
    sides: list[RunSide]
    notes: list[str]
    right: Mapping[str, NDArray[np.bool_]]

    @property
    def num_held_out(self) -> int:
        """Rows that were predicted."""
        return int(self.is_held_out.sum())

    def best_models(self) -> list[str]:
        """The model, the same untrained, and the best baseline: what is drawn."""
        twins = (UNTRAINED, f"{UNTRAINED} {self.model}")
        names = dict.fromkeys([self.model, *twins, self.best_baseline or ""])
        return [name for name in names if name in self.right]


def finished_runs(input: str | list[str], sets: Sequence[str] | None) -> tuple[list[FinishedRun], list[str]]:
    """The run of a folder, or the sets of an evaluation, and a line for each set that has no classes.

    Args:
        input: folder of a `lifecode finetune`, of a `lifecode evaluate`, or of one set in it.
        sets: names; None takes all.

    Raises:
        UserError: the folder is none, holds no such set, or has not kept what is needed.
    """
    if not isinstance(input, str):
        raise UserError("names several", source="input", remedy="Give the folder of one run")
    folder = Path(input).expanduser()
    metrics = _metrics(folder)
    of_suite = metrics.get(_SETS)
    if not isinstance(of_suite, dict):
        if sets is not None:
            raise UserError("is of an evaluation, and this is one task", source="kind.sets")
        one = _of_set(folder, metrics, None) if (folder / EXAMPLES).is_file() else _finetuned(folder, metrics)
        return [one], []
    unknown = next((name for name in sets or () if name not in of_suite), None)
    if unknown is not None:
        raise UserError(
            f"holds no set {unknown!r}; it holds {', '.join(of_suite)}",
            source=folder,
            remedy="Give some of them as kind.sets=[...]",
        )
    runs, notes = [], []
    for name in of_suite if sets is None else sets:
        place = folder / _SETS / name
        own = _metrics(place)
        kind, unit = own.get("kind"), own.get("unit", "sequence")
        if kind not in ("binary", "multiclass") or unit not in ("sequence", "pair"):
            notes.append(f"left out: {name} (labels of kind {kind} for each {unit})")
        else:
            runs.append(_of_set(place, own, name))
    if not runs:
        raise UserError(
            f"has no set with one class for each sequence or pair ({'; '.join(notes) or 'it has no set'})",
            source=folder,
            remedy="Name an evaluation, or a lifecode finetune, of classes",
        )
    return runs, notes


def _metrics(folder: Path) -> dict[str, Any]:
    try:
        metrics = json.loads((folder / METRICS).read_text(encoding="utf-8"))
        if not isinstance(metrics, dict):
            raise TypeError("no table of names")
    except (OSError, ValueError, TypeError) as fault:
        raise _no_run(folder, fault) from fault
    return metrics


def _no_run(folder: Path, fault: Exception) -> UserError:
    return UserError(
        f"is no run of lifecode finetune or evaluate ({METRICS}: {fault})",
        source=folder,
        remedy="Give its folder: input=runs/mine",
    )


def _of_set(folder: Path, metrics: Mapping[str, Any], name: str | None) -> FinishedRun:
    if not all((folder / file).is_file() for file in (EXAMPLES, COMPARED)):
        raise UserError(
            f"has no {EXAMPLES} or no {COMPARED}",
            source=folder,
            remedy="Run the same lifecode evaluate again: it computes nothing anew and writes them",
        )
    kept = kept_examples(folder)
    held_out = np.flatnonzero(kept.is_held_out).tolist()
    right = _right(folder, [(kept.ids[i], kept.labels[i]) for i in held_out])
    told, single = metrics["task"], len(kept.sides) == 1
    return FinishedRun(
        name=name or folder.resolve().name,
        model=metrics["encoder"],
        best_baseline=metrics.get("best_baseline"),
        task=SequenceTask(**told) if single else PairTask(**told),
        split=kept.split,
        is_held_out=kept.is_held_out,
        sides=[
            RunSide("" if single else name, side.molecule, side.sequences(), side.rows)
            for name, side in kept.sides.items()
        ],
        notes=_notes(metrics["split"]["seeds"], len(held_out) < len(kept.ids)),
        right=right,
    )


def _finetuned(folder: Path, metrics: Mapping[str, Any]) -> FinishedRun:
    try:
        told, split = metrics["task"], metrics["split"]
        num_folds = len(split["learnt_from"]) // len(split["seeds"])
        seeds, kind, unit = split["seeds"], metrics["kind"], metrics["unit"]
    except (KeyError, TypeError) as fault:
        raise _no_run(folder, fault) from fault
    if kind not in ("binary", "multiclass") or unit not in ("sequence", "pair"):
        raise UserError(
            f"has labels of kind {kind} for each {unit}, and accuracy is of one class for each sequence "
            "or pair",
            source=folder,
        )
    if not (folder / COMPARED).is_file():
        raise UserError(
            f"has no {COMPARED}", source=folder, remedy="Run lifecode finetune again, with this version"
        )
    task = PairTask(**told) if unit == "pair" else SequenceTask(**told)
    rows = metrics.get("test_rows")  # of a run that left some out
    of_test = None if rows is None else partial(_rows_then, folder, rows)
    opened = opened_task(task, None, num_folds=max(2, num_folds), seeds=seeds, of_test=of_test)
    held_out = np.flatnonzero(opened.rounds.first_held_out)
    examples, classes = opened.examples.at(held_out), opened.data.labels.classes
    now = [(name, classes[int(i)]) for name, i in zip(examples.ids, examples.labels, strict=True)]
    return FinishedRun(
        name=folder.resolve().name,
        model=metrics["encoder"],
        best_baseline=metrics.get("best_baseline"),
        task=task,
        split=opened.rounds.first_split,
        is_held_out=opened.rounds.first_held_out,
        sides=_sides(opened),
        notes=[*opened.data.notes[:1], *_notes(seeds, opened.rounds.has_test)],
        right=_right(folder, now),
    )


def _rows_then(folder: Path, rows: Sequence[int], data: TaskData | PairData) -> NDArray[np.int64]:
    """The rows of the test file that were predicted."""
    if data.test is None or max(rows) >= len(data.test):
        raise _other_rows(folder)
    return np.array(rows, np.int64)


def _other_rows(folder: Path) -> UserError:
    return UserError("the files of its task hold other rows now", source=folder, remedy="Run it again")


def _sides(opened: OpenedTask) -> list[RunSide]:
    examples = opened.examples
    if isinstance(examples, PairExamples):
        return [
            RunSide(name, side.molecule, side.sequences(), side.rows)
            for name, side in (("first", examples.first), ("second", examples.second))
        ]
    return [RunSide("", opened.told["molecule"], examples.sequences, np.arange(len(examples)))]


def _notes(seeds: Sequence[int], has_test: bool) -> list[str]:
    if len(seeds) < 2 or has_test:
        return []
    return [f"predictions are means over {len(seeds)} splits, the nearest rows are those of the first"]


def _right(folder: Path, held_out: Sequence[tuple[str, str]]) -> dict[str, NDArray[np.bool_]]:
    """Who said the right class of ids and labels that were held out."""
    table = read_table(folder / COMPARED)
    then = zip(table.columns["id"], table.columns["label"], strict=True)
    if list(then) != [(_as_read(name), _as_read(label)) for name, label in held_out]:
        raise _other_rows(folder)
    labels = np.array(table.columns["label"])
    return {
        found[1]: np.array(values) == labels
        for name, values in table.columns.items()
        if (found := _PREDICTION.fullmatch(name))
    }


def _as_read(text: str) -> str:
    """As `read_table` gives what `write_table` wrote."""
    return str(csv_cell(text)).strip()
