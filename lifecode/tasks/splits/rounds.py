"""The rounds of a comparison: in each, some examples are learnt from and others are predicted."""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from lifecode.errors import UserError
from lifecode.tasks.examples.examples import Examples, joined
from lifecode.tasks.examples.sequence_task import SequenceTask, TaskData
from lifecode.tasks.splits.folds import clusters_of, fold_of, groups_of, require_every_class

INNER_FOLDS = 5
"""Folds inside the examples that are learnt from, on which a head chooses its strength."""


class Round(NamedTuple):
    """One fit.

    Attributes:
        seed: of the folds and of what a head draws.
        train: rows that are learnt from.
        test: rows that are predicted.
        inner: (num_train,) fold of each row of `train` while a head chooses.
    """

    seed: int
    train: NDArray[np.int64]
    test: NDArray[np.int64]
    inner: NDArray[np.int64]


class Rounds:
    """All examples of a task, and how they are split.

    Args:
        task: how examples are kept together.
        data: of the task; without test examples folds of the others are held out.
        num_folds: so many, if there is no test file.
        seeds: a split, or, with a test file, a choice of strength for each.

    Raises:
        UserError: fewer groups than folds, or a fold without an example of each class.
    """

    def __init__(self, task: SequenceTask, data: TaskData, *, num_folds: int, seeds: list[int]) -> None:
        if num_folds < 2:
            raise UserError("is less than 2", source="folds")
        self.examples: Examples = data.train if data.test is None else joined([data.train, data.test])
        self.num_train, self.num_folds, self.seeds = len(data.train), num_folds, seeds
        self.has_test = data.test is not None
        if task.keep_together == "clusters":
            self.groups = clusters_of(self.examples, data.molecule, task.cluster_similarity)
        else:
            self.groups = groups_of(self.examples)
        self._kept = task.keep_together
        has_one = data.labels.kind in ("binary", "multiclass") and data.labels.unit == "sequence"
        self._classes = self.examples.labels if has_one else None
        self._labels = data.labels
        self.first_split = self._split(seeds[0])

    def __iter__(self) -> Iterator[Round]:
        for seed in self.seeds:
            split = self.first_split if seed == self.seeds[0] else self._split(seed)
            for number in [1] if self.has_test else range(self.num_folds):
                train, test = np.flatnonzero(split != number), np.flatnonzero(split == number)
                where = "the training examples" if self.has_test else f"fold {number + 1} of {self.num_folds}"
                for rows in [train] if self.has_test else [train, test]:
                    chosen = np.zeros(len(split), bool)
                    chosen[rows] = True
                    require_every_class(self.examples.labels, self._labels, chosen, where)
                yield Round(seed, train, test, self.inner_folds(train, seed))

    def inner_folds(self, rows: NDArray[np.int64], seed: int) -> NDArray[np.int64]:
        """The fold of each of these rows while a head chooses its strength on them."""
        classes = None if self._classes is None else self._classes[rows]
        num = min(INNER_FOLDS, len(np.unique(self.groups[rows])))
        if num < 2:
            raise UserError("all examples that are learnt from are of one group", source="task.train")
        return fold_of(self.groups[rows], num, seed, classes)

    def described(self) -> str:
        """In a few words."""
        return "test file" if self.has_test else f"{self.num_folds} folds, groups of {self._kept} sequences"

    def everything(self) -> Round:
        """The fit of the model that is saved: on all examples outside the test file."""
        rows = np.arange(self.num_train)
        return Round(self.seeds[0], rows, rows[:0], self.inner_folds(rows, self.seeds[0]))

    def _split(self, seed: int) -> NDArray[np.int64]:
        if self.has_test:
            return (np.arange(len(self.examples)) >= self.num_train).astype(np.int64)
        return fold_of(self.groups, self.num_folds, seed, self._classes)
