"""The ten tasks of LucaOne's pre-training, and what a row has of them."""

from collections.abc import Iterator, Sequence

from lifecode.datasets.luca_one.rows import COORDINATES, SEVERAL_LABELS, Label, LucaOneRow
from lifecode.models.luca_one.heads import LEVELS

MASK_TASKS = {"gene_mask": 0, "prot_mask": 1}
"""The two tasks that need no labels, with the number of their molecule."""
TASKS = (*MASK_TASKS, *LEVELS)
CLASSIFIED = tuple(task for task in LEVELS if task != COORDINATES)
"""Tasks whose labels are classes."""


def labels_of(row: LucaOneRow) -> Iterator[tuple[str, Label]]:
    """Every label of a row with its task."""
    for task, spans in row.spans.items():
        yield from ((task, name) for _, _, name in spans)
    for task, value in row.labels.items():
        names: Sequence[Label] = value if isinstance(value, tuple) else () if value is None else (value,)
        yield from ((task, name) for name in names)


def is_of_several_labels(task: str) -> bool:
    """Whether a sequence may have several labels of a task."""
    return task == SEVERAL_LABELS
