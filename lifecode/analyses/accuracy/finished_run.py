"""A run of `lifecode finetune` with its task as read again, and which held-out rows each model had right."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from lifecode.errors import UserError
from lifecode.names import csv_cell
from lifecode.tasks.competitors.opened_task import OpenedTask, opened_task
from lifecode.tasks.examples.molecule import Molecule
from lifecode.tasks.examples.sequence_task import SequenceTask
from lifecode.tasks.examples.table import read_table
from lifecode.tasks.finetune import COMPARED, METRICS
from lifecode.tasks.pairs.pair_examples import PairExamples
from lifecode.tasks.pairs.pair_task import PairTask

_PREDICTION = re.compile(r"prediction\((.*)\)")


class Side(NamedTuple):
    """The sequences of the rows, or of one side of pairs.

    Attributes:
        name: `first` or `second`; empty where there is one.
        molecule: that they are.
        sequences: that are different, as ids.
        of_row: (n,) number of the sequence of each row.
    """

    name: str
    molecule: Molecule
    sequences: list[NDArray[np.uint8]]
    of_row: NDArray[np.int64]


@dataclass(frozen=True, slots=True, kw_only=True)
class FinishedRun:
    """A run of `lifecode finetune`, and its task as read again.

    Attributes:
        name: of the folder.
        model: in its table.
        best_baseline: or None.
        task: what was learnt.
        opened: its rows and rounds.
        held_out: numbers of the rows that were predicted.
        right: (num_held_out,) whether each model said the right class, by its name.
    """

    name: str
    model: str
    best_baseline: str | None
    task: SequenceTask | PairTask
    opened: OpenedTask
    held_out: NDArray[np.int64]
    right: Mapping[str, NDArray[np.bool_]]

    @classmethod
    def read(cls, input: str | list[str]) -> "FinishedRun":
        """The run in a folder.

        Raises:
            UserError: there is none, or none of one class for each sequence or pair, or one whose files have
                changed since.
        """
        if not isinstance(input, str):
            raise UserError("names several", source="input", remedy="Give the folder of one run")
        folder = Path(input).expanduser()
        try:
            metrics = json.loads((folder / METRICS).read_text(encoding="utf-8"))
            told, split = metrics["task"], metrics["split"]
            num_folds = len(split["learnt_from"]) // len(split["seeds"])
            seeds, kind, unit = split["seeds"], metrics["kind"], metrics["unit"]
        except (OSError, ValueError, KeyError, TypeError) as fault:
            raise UserError(
                f"is no run of lifecode finetune ({METRICS}: {fault})",
                source=folder,
                remedy="Give its folder: input=runs/mine",
            ) from fault
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
        opened = opened_task(task, None, num_folds=max(2, num_folds), seeds=seeds)
        held_out = np.flatnonzero(opened.rounds.first_held_out)
        table = read_table(folder / COMPARED)
        examples, classes = opened.examples.at(held_out), opened.data.labels.classes
        now = [(name, classes[int(i)]) for name, i in zip(examples.ids, examples.labels, strict=True)]
        then = zip(table.columns["id"], table.columns["label"], strict=True)
        if list(then) != [(_as_read(name), _as_read(label)) for name, label in now]:
            raise UserError("the files of its task hold other rows now", source=folder, remedy="Run it again")
        labels = np.array(table.columns["label"])
        right = {
            found[1]: np.array(values) == labels
            for name, values in table.columns.items()
            if (found := _PREDICTION.fullmatch(name))
        }
        best = metrics.get("best_baseline")
        return cls(
            name=folder.resolve().name,
            model=metrics["encoder"],
            best_baseline=best,
            task=task,
            opened=opened,
            held_out=held_out,
            right=right,
        )

    @property
    def split(self) -> NDArray[np.int64]:
        """(n,) equal for rows that are held out, or learnt from, together."""
        return self.opened.rounds.first_split

    @property
    def sides(self) -> list[Side]:
        """The sequences of the rows, or both sides of pairs."""
        examples = self.opened.examples
        if isinstance(examples, PairExamples):
            return [
                Side(name, side.molecule, side.sequences(), side.rows)
                for name, side in (("first", examples.first), ("second", examples.second))
            ]
        molecule = self.opened.told["molecule"]
        return [Side("", molecule, examples.sequences, np.arange(len(examples)))]

    def best_models(self) -> list[str]:
        """The model, the same untrained, and the best baseline: what is drawn."""
        names = dict.fromkeys([self.model, "untrained", self.best_baseline or ""])
        return [name for name in names if name in self.right]

    def notes(self) -> list[str]:
        """What limits the figures."""
        seeds = self.opened.rounds.seeds
        if len(seeds) < 2 or self.opened.rounds.has_test:
            return []
        return [f"predictions are means over {len(seeds)} splits, the nearest rows are those of the first"]


def _as_read(text: str) -> str:
    """As `read_table` gives what `write_table` wrote."""
    return str(csv_cell(text)).strip()
