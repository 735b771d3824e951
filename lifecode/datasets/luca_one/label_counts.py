"""How many rows have each label, counted while rows go by; the label names come from the rows of training."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from lifecode.data.splits.regions import SPLITS, TRAIN
from lifecode.datasets.luca_one.label_names import LabelNames
from lifecode.datasets.luca_one.rows import COORDINATES, Label, LucaOneRow
from lifecode.datasets.luca_one.tasks import CLASSIFIED, labels_of


@dataclass(frozen=True, slots=True)
class LabelCounts:
    """Counts of the rows that went by.

    Attributes:
        rows: by (split, molecule).
        of_label: by (split, task, label) the rows that have it.
        of_task: by (split, task) the rows that have any label of it, or coordinates.
    """

    rows: Counter[tuple[str, str]] = field(default_factory=Counter)
    of_label: Counter[tuple[str, str, Label]] = field(default_factory=Counter)
    of_task: Counter[tuple[str, str]] = field(default_factory=Counter)

    def counting(self, split: str, rows: Iterable[LucaOneRow]) -> Iterator[LucaOneRow]:
        """The rows of a split as they are, counted."""
        for row in rows:
            self.rows[split, row.molecule] += 1
            found = set(labels_of(row))
            self.of_label.update((split, task, label) for task, label in found)
            self.of_task.update((split, task) for task in {task for task, _ in found})
            self.of_task[split, COORDINATES] += row.coordinates is not None
            yield row

    def names(self) -> LabelNames:
        """The labels of the training rows, sorted by task; `gene_type` has its eight in any case."""
        return LabelNames.of_labels((task, label) for split, task, label in self.of_label if split == TRAIN)

    def unknown(self, names: LabelNames) -> dict[str, dict[str, int]]:
        """By task and split, labels of held-out rows that no training row has, each once a row: ignored."""
        counts: dict[str, Counter[str]] = {}
        for (split, task, label), number in self.of_label.items():
            if label not in names.of_task.get(task, ()):
                counts.setdefault(task, Counter())[split] += number
        return {task: dict(of_split) for task, of_split in sorted(counts.items())}

    def table(self, names: LabelNames) -> Iterator[list[str | int]]:
        """Rows of `labels.csv`: task, class, label, and in how many rows of each split it is."""
        for task, labels in names.of_task.items():
            for number, label in enumerate(labels):
                yield [task, number, label, *(self.of_label[split, task, label] for split in SPLITS)]

    def tasks(self, names: LabelNames) -> Mapping[str, Mapping[str, int]]:
        """By task its classes, and in how many rows of each split it has a label."""
        told = {task for _, task in self.of_task if any(self.of_task[split, task] for split in SPLITS)}
        return {
            task: {
                "classes": len(names.of_task.get(task, ())),
                **{split: self.of_task[split, task] for split in SPLITS},
            }
            for task in (*CLASSIFIED, COORDINATES)
            if task in told
        }
