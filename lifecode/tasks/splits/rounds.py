"""The rounds of a comparison: in each, some examples are learnt from and others are predicted."""

from collections.abc import Iterator
from typing import Generic, NamedTuple, Protocol, TypeVar

import numpy as np
from numpy.typing import NDArray

from lifecode.errors import UserError
from lifecode.tasks.examples.examples import Examples
from lifecode.tasks.examples.labels import Labels
from lifecode.tasks.examples.sequence_task import SequenceTask
from lifecode.tasks.examples.task_data import TaskData
from lifecode.tasks.splits.folds import clusters_of, fold_of, groups_of, require_every_class

_INNER_FOLDS = 5
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


class Labelled(Protocol):
    """Examples of any unit, in an order."""

    @property
    def labels(self) -> NDArray[np.number]:
        """(n,)."""
        ...

    def __len__(self) -> int: ...


E = TypeVar("E", bound=Labelled)


class Rounds(Generic[E]):
    """All examples of a task, and how they are split.

    Args:
        examples: those that are learnt from, then those of a test file.
        num_train: of the former; without others folds are held out.
        labels: kind and classes.
        groups: (n,) number of each example, equal for those that folds keep together.
        kept: what these are, in a word.
        num_folds: so many, if there is no test file.
        seeds: a split, or, with a test file, a choice of strength for each.

    Raises:
        UserError: fewer groups than folds, or a fold without an example of each class.
    """

    def __init__(
        self,
        examples: E,
        num_train: int,
        labels: Labels,
        groups: NDArray[np.int64],
        kept: str,
        *,
        num_folds: int,
        seeds: list[int],
    ) -> None:
        if num_folds < 2:
            raise UserError("is less than 2", source="folds")
        self.examples = examples
        self.num_train, self.num_folds, self.seeds = num_train, num_folds, seeds
        self.has_test = num_train < len(examples)
        self.groups, self._kept = groups, kept
        has_classes = labels.kind != "regression" and labels.unit == "sequence"
        self._classes = examples.labels if has_classes else None
        self._labels = labels
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
        num = min(_INNER_FOLDS, len(np.unique(self.groups[rows])))
        if num < 2:
            raise UserError("all examples that are learnt from are of one group", source="task.train")
        return fold_of(self.groups[rows], num, seed, classes)

    @property
    def first_held_out(self) -> NDArray[np.bool_]:
        """(n,) which examples are held out for some round of the first seed."""
        return self.first_split == 1 if self.has_test else np.ones(len(self.first_split), bool)

    def described(self) -> str:
        """In a few words."""
        return "test file" if self.has_test else f"{self.num_folds} folds, groups of {self._kept}"

    def everything(self) -> Round:
        """The fit of the model that is saved: on all examples outside the test file."""
        rows = np.arange(self.num_train)
        return Round(self.seeds[0], rows, rows[:0], self.inner_folds(rows, self.seeds[0]))

    def _split(self, seed: int) -> NDArray[np.int64]:
        if self.has_test:
            return (np.arange(len(self.examples)) >= self.num_train).astype(np.int64)
        return fold_of(self.groups, self.num_folds, seed, self._classes)


def rounds_of(task: SequenceTask, data: TaskData, *, num_folds: int, seeds: list[int]) -> Rounds[Examples]:
    """The rounds of a task of sequences; as `Rounds`."""
    examples = data.train if data.test is None else data.train.followed_by(data.test)
    if task.keep_together == "clusters":
        groups = clusters_of(examples, data.molecule, task.cluster_similarity)
        if len(np.unique(groups)) == len(np.unique(groups_of(examples))):
            data.notes.append(
                "no two different sequences are alike enough for a cluster, so these are the folds of "
                "task.keep_together=equal"
            )
    else:
        groups = groups_of(examples)
    kept = f"{task.keep_together} sequences"
    return Rounds(examples, len(data.train), data.labels, groups, kept, num_folds=num_folds, seeds=seeds)
