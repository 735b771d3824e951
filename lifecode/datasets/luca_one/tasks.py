"""The ten tasks of LucaOne's pre-training, and the names of the classes of those with labels."""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from lifecode.datasets.luca_one.rows import COORDINATES, GENE_TYPES, SEVERAL_LABELS, LucaOneRow
from lifecode.errors import UserError
from lifecode.models.luca_one.heads import LEVELS

MASK_TASKS = {"gene_mask": 0, "prot_mask": 1}
"""The two tasks that need no labels, with the number of their molecule."""
TASKS = (*MASK_TASKS, *LEVELS)
CLASSIFIED = tuple(task for task in LEVELS if task != COORDINATES)
"""Tasks whose labels are classes."""

_MOST_NUMBERED = 1_000_000
"""Larger numbers are names."""


@dataclass(frozen=True, slots=True)
class LabelNames:
    """The names of each task's classes, in the order of their numbers.

    Attributes:
        of_task: by task; tasks without any label are left out.
    """

    of_task: Mapping[str, tuple[str, ...]]

    @classmethod
    def of_rows(cls, rows: Iterable[LucaOneRow]) -> "LabelNames":
        """The labels of some rows, sorted by task; `gene_type` has its eight in any case."""
        found: dict[str, set[str]] = {task: set() for task in CLASSIFIED}
        for row in rows:
            for task, name in labels_of(row):
                found[task].add(name)
        names = {task: in_order(labels) for task, labels in found.items() if labels}
        return cls({task: GENE_TYPES if task == "gene_type" else own for task, own in names.items()})

    @classmethod
    def read(cls, path: Path) -> "LabelNames":
        """What `text` gave, from a file.

        Raises:
            UserError: the file is damaged.
        """
        try:
            found = json.loads(path.read_text(encoding="utf-8"))
            return cls({task: tuple(map(str, found[task])) for task in CLASSIFIED if task in found})
        except (OSError, ValueError, TypeError, RecursionError) as fault:
            raise UserError(f"holds no names of labels ({fault})", source=path) from fault

    @property
    def text(self) -> str:
        """As JSON."""
        return json.dumps(self.of_task, indent=1, ensure_ascii=False) + "\n"

    def numbers(self, task: str) -> dict[str, int]:
        """Class of each name."""
        return {name: number for number, name in enumerate(self.of_task.get(task, ()))}

    def require_room(self, classes: Mapping[str, int]) -> None:
        """Raises a `UserError` where a head has fewer classes than there are names; `classes` by task."""
        for task, names in self.of_task.items():
            if task in classes and classes[task] < len(names):
                raise UserError(
                    f"is {classes[task]:,}, and the training rows have {len(names):,} labels of this task",
                    source=f"model.heads.{task}.classes",
                    remedy=f"Give {len(names)} or more",
                )


def in_order(labels: Iterable[str]) -> tuple[str, ...]:
    """Labels as classes: sorted; numbers of classes, as in released rows, each in the place it says."""
    found = set(labels)
    numbers = {label: int(label) for label in found if label.isascii() and label.isdigit() and len(label) < 8}
    numbers = {label: number for label, number in numbers.items() if str(number) == label}  # 007 is a name
    if len(numbers) == len(found) and max(numbers.values()) < _MOST_NUMBERED:
        return tuple(map(str, range(max(numbers.values()) + 1)))
    return tuple(sorted(found))


def labels_of(row: LucaOneRow) -> Iterator[tuple[str, str]]:
    """Every label of a row with its task."""
    for task, spans in row.spans.items():
        yield from ((task, name) for _, _, name in spans)
    for task, value in row.labels.items():
        names: Sequence[str] = value if isinstance(value, tuple) else () if value is None else (value,)
        yield from ((task, name) for name in names)


def is_of_several_labels(task: str) -> bool:
    """Whether a sequence may have several labels of a task."""
    return task == SEVERAL_LABELS
