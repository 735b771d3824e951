"""The names of the classes of each labelled task, and which class a label of a row is.

Whether a label is a name or the number of a class says the row itself: text is a name, an integer a number.
So a taxon's id in text is a name like any other. Neither is guessed: a task whose rows have both is an error,
and a number that no head has room for says what else it could have meant.
"""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from lifecode.datasets.luca_one.rows import GENE_TYPES, Label, LucaOneRow
from lifecode.datasets.luca_one.tasks import CLASSIFIED, labels_of
from lifecode.errors import UserError

_MOST_NUMBERED = 1_000_000
"""Classes of a task; no larger number is one."""
_AS_TEXT = "Write names, such as ids of taxa, as text"


@dataclass(frozen=True, slots=True)
class LabelNames:
    """The names of each task's classes, in the order of their numbers.

    Attributes:
        of_task: by task; tasks without any label are left out. Of a task whose rows have numbers alone the
            digits of all numbers up to the largest are the names.
        numbered: these tasks.
        are_listed: they come from a list, so that a row may name a class or give its number in the list.
    """

    of_task: Mapping[str, tuple[str, ...]]
    numbered: frozenset[str] = field(default=frozenset(), compare=False)
    are_listed: bool = field(default=False, compare=False)

    @classmethod
    def of_rows(cls, rows: Iterable[LucaOneRow]) -> "LabelNames":
        """The labels of some rows, sorted by task; `gene_type` has its eight in any case.

        Raises:
            UserError: a task with names and numbers of classes; it names a row of either.
        """
        found: dict[str, dict[Label, str]] = {task: {} for task in CLASSIFIED}
        for row in rows:
            for task, label in labels_of(row):
                found[task].setdefault(label, row.id)
        for task, row_of in found.items():
            number = next((label for label in row_of if isinstance(label, int)), None)
            name = next((label for label in row_of if isinstance(label, str)), None)
            if number is not None and name is not None:
                raise UserError(
                    f"{task} has the name {name!r}, and the number {number} of a class in {row_of[number]}",
                    record=row_of[name],
                    remedy=f"{_AS_TEXT}, and classes all by name or all by number",
                )
        return cls.of_labels((task, label) for task, row_of in found.items() for label in row_of)

    @classmethod
    def of_labels(cls, labels: Iterable[tuple[str, Label]]) -> "LabelNames":
        """Likewise, of (task, label), where each task has names alone or numbers alone.

        Raises:
            UserError: a number of 1,000,000 or more.
        """
        found: dict[str, set[Label]] = {task: set() for task in CLASSIFIED}
        for task, label in labels:
            found[task].add(label)
        names: dict[str, tuple[str, ...]] = {}
        numbered = set[str]()
        for task, own in found.items():
            numbers = [label for label in own if isinstance(label, int)]
            if numbers:
                numbered.add(task)
                names[task] = _digits_up_to(max(numbers), task)
            elif own:
                names[task] = GENE_TYPES if task == "gene_type" else tuple(sorted(map(str, own)))
        return cls(names, frozenset(numbered))

    @classmethod
    def read(cls, path: Path) -> "LabelNames":
        """What `text` gave, from a file.

        Raises:
            UserError: the file is damaged, or has a class twice.
        """
        try:
            found = json.loads(path.read_text(encoding="utf-8"))
        except (OSError, ValueError, RecursionError) as fault:
            raise UserError(f"holds no names of labels ({fault})", source=path) from fault
        if not isinstance(found, dict):
            raise UserError("holds no names of labels, a list of each task", source=path)
        names = {task: found[task] for task in CLASSIFIED if task in found}
        for task, own in names.items():
            if not isinstance(own, list) or not all(isinstance(name, str) for name in own):
                raise UserError(f"{task} is no list of names, which are text", source=path)
            if len(set(own)) < len(own):
                twice = next(name for name in own if own.count(name) > 1)
                raise UserError(f"{task} has the class {twice!r} twice", source=path)
        return cls({task: tuple(own) for task, own in names.items()}, are_listed=True)

    @property
    def text(self) -> str:
        """As JSON."""
        return json.dumps(self.of_task, indent=1, ensure_ascii=False) + "\n"

    def require_room(self, classes: Mapping[str, int]) -> None:
        """Raises a `UserError` where a head has fewer classes than there are names; `classes` by task."""
        for task, names in self.of_task.items():
            if task in classes and classes[task] < len(names):
                raise UserError(
                    f"is {classes[task]:,}, and the training rows have {self._largest(task, names)}",
                    source=f"model.heads.{task}.classes",
                    remedy=f"{_AS_TEXT}; else give {len(names)} or more"
                    if task in self.numbered
                    else f"Give {len(names)} or more",
                )

    def _largest(self, task: str, names: tuple[str, ...]) -> str:
        if task in self.numbered:
            return f"the number {names[-1]} as a class of this task, counted from 0"
        return f"{len(names):,} labels of this task"


def _digits_up_to(largest: int, task: str) -> tuple[str, ...]:
    if largest >= _MOST_NUMBERED:
        raise UserError(f"{task} has the label {largest}, which is no number of a class", remedy=_AS_TEXT)
    return tuple(map(str, range(largest + 1)))


class LabelNumbers:
    """Which class a label is.

    Args:
        names: of the classes.
    """

    def __init__(self, names: LabelNames) -> None:
        self._names = names
        self._number_of = {
            task: {name: number for number, name in enumerate(names.of_task.get(task, ()))}
            for task in CLASSIFIED
        }

    def of(self, task: str, label: Label, record: str) -> int | None:
        """The class of a label of a task, or None where no training row has it.

        Args:
            task: it is of.
            label: of the row.
            record: name of the row.

        Raises:
            UserError: a name where the training rows have numbers, a number where they have names, or one
                that a list of the names does not go up to.
        """
        known = self._number_of[task]
        if self._names.are_listed and isinstance(label, int) and label >= len(known) > 0:
            raise UserError(
                f"{task} has the class {label}, and there are {len(known)} names of classes",
                record=record,
                remedy=f"{_AS_TEXT}; numbers count from 0",
            )
        if not self._names.are_listed and known and isinstance(label, int) != (task in self._names.numbered):
            has, others = ("the number", "names") if isinstance(label, int) else ("the name", "numbers")
            raise UserError(
                f"{task} has {has} {label!r}, and the training rows have {others} of classes",
                record=record,
                remedy=f"{_AS_TEXT}, and classes all by name or all by number",
            )
        if isinstance(label, int):
            return label if label < len(known) else None
        return known.get(label)
