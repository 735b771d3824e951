"""One model after another through the same rounds: predictions, figures, and differences in pairs."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from lifecode.evaluation.metrics import Metric
from lifecode.tasks.baselines import constant_prediction
from lifecode.tasks.difference import NUM_RESAMPLES, Difference, over_examples, over_folds
from lifecode.tasks.examples.labels import Labels
from lifecode.tasks.heads.head import Blocks, FittedHead, Head
from lifecode.tasks.scores import known, require_defined, score, scores
from lifecode.tasks.splits.rounds import Round


@dataclass(frozen=True, slots=True)
class Entry:
    """What one model reached.

    Attributes:
        predictions: (rounds,) of the rows of each round, as a head gives them; of positions one array (n,) or
            (n, num_classes) for each row.
        figures: values of each metric, one a round.
    """

    predictions: list[NDArray[Any]]
    figures: dict[str, list[float]]

    def summary(self) -> dict[str, dict[str, Any]]:
        """Mean, sd and values of each metric; the sd is that of a sample, and None for one value."""
        return {
            name: {
                "mean": float(np.mean(values)),
                "sd": float(np.std(values, ddof=1)) if len(values) > 1 else None,
                "values": values,
            }
            for name, values in self.figures.items()
        }


class Split(Protocol):
    """Examples and how they are split; `Rounds`, or a set of which nothing is learnt."""

    @property
    def examples(self) -> Any:
        """All of them."""
        ...

    @property
    def has_test(self) -> bool:
        """Whether some are of a test file."""
        ...

    @property
    def seeds(self) -> list[int]:
        """Of the rounds."""
        ...

    def described(self) -> str:
        """In a few words."""
        ...

    def __iter__(self) -> Iterator[Round]: ...


class Contest:
    """The rounds and labels that every model is measured by.

    Args:
        rounds: of all examples.
        labels: kind and classes.
        metrics: names of those that are meant; None takes all of the kind.
    """

    def __init__(self, rounds: Split, labels: Labels, metrics: Sequence[str] | None = None) -> None:
        self.rounds, self.labels, self.metrics = list(rounds), labels, metrics
        of_positions = labels.kind == "multiclass" and labels.unit != "sequence"
        self._each_class = labels.classes if of_positions else ()
        self._split, self.all_labels = rounds, rounds.examples.labels

    def require_defined(self) -> None:
        """Raises a `UserError` where the test rows of a round have one label alone."""
        for number, one in enumerate(self.rounds, start=1):
            where = "the test file" if self._split.has_test else f"the test rows of round {number}"
            require_defined(self.all_labels[one.test], where)

    def predictions(self, blocks: Blocks, head: Head | None) -> list[NDArray[Any]]:
        """Fit and predict in every round.

        Args:
            blocks: features of all examples.
            head: None always predicts what is commonest, or the mean.
        """
        return [self._predicted(blocks, head, one) for one in self.rounds]

    def measured(self, predictions: list[NDArray[Any]]) -> Entry:
        """The figures of predictions of the rows of each round."""
        found = [
            scores(
                self.labels.kind,
                self.all_labels[one.test],
                predicted,
                f"the test rows of round {number}",
                self._each_class,
            )
            for number, (one, predicted) in enumerate(zip(self.rounds, predictions, strict=True), start=1)
        ]
        names = [name for name in found[0] if self.metrics is None or name in self.metrics]
        return Entry(predictions, {name: [each[name] for each in found] for name in names})

    def fitted(self, blocks: Blocks, head: Head, one: Round) -> FittedHead:
        """The head of a round, such as that of all examples outside the test file."""
        return head.fit(
            [block[one.train] for block in blocks], self.all_labels[one.train], one.inner, one.seed
        )

    def difference(self, ours: Entry, theirs: Entry, metric: Metric) -> Difference:
        """Ours minus theirs in one metric; above 0 is better wherever more is better."""
        if not self._split.has_test:
            share = np.mean([len(one.test) / len(one.train) for one in self.rounds])
            first, second = (np.array(entry.figures[metric.name]) for entry in (ours, theirs))
            return over_folds(first, second, float(share))
        labels = self.all_labels[self.rounds[0].test]
        predictions = [
            np.asarray(sum(entry.predictions)) / len(entry.predictions) for entry in (ours, theirs)
        ]

        def both(rows: NDArray[np.integer]) -> tuple[float, float] | None:
            pairs = [known(labels[rows], each[rows]) for each in predictions]
            if len(np.unique(pairs[0][0])) < 2:
                return None
            ours_now, theirs_now = (score(metric.name, *pair) for pair in pairs)
            return ours_now, theirs_now

        resamples = NUM_RESAMPLES if labels.dtype != object else NUM_RESAMPLES // 5
        return over_examples(both, len(labels), self.rounds[0].seed, resamples)

    def table(self, ours: Entry, others: dict[str, Entry], metric: Metric) -> dict[str, Any]:
        """The figures of all, which of the others is best in one metric, and our difference to each in it."""
        found: dict[str, Any] = {
            "metric": metric.name,
            "test": ours.summary(),
            "baselines": {name: entry.summary() for name, entry in others.items()},
        }
        if others:
            found["best_baseline"] = best_of(others, metric)
            found["differences"] = {
                name: self.difference(ours, entry, metric)._asdict() for name, entry in others.items()
            }
        return found

    def described(self) -> dict[str, Any]:
        """The kind of split, its seeds, and the number of examples of each round."""
        return {
            "kind": self._split.described(),
            "seeds": self._split.seeds,
            "learnt_from": [len(one.train) for one in self.rounds],
            "held_out": [len(one.test) for one in self.rounds],
        }

    def combined(self, entry: Entry) -> tuple[NDArray[np.int64], NDArray[Any]]:
        """Rows that were predicted, in their order, and the mean over seeds of their predictions."""
        size = len(self.all_labels)
        first = entry.predictions[0]
        total = np.zeros((size, *first.shape[1:]), dtype=first.dtype)
        count = np.zeros(size)
        for one, predicted in zip(self.rounds, entry.predictions, strict=True):
            total[one.test] += predicted
            count[one.test] += 1
        rows = np.flatnonzero(count)
        return rows, (total[rows].T / count[rows]).T

    def _predicted(self, blocks: Blocks, head: Head | None, one: Round) -> NDArray[np.float64]:
        labels = self.all_labels[one.train]
        if head is None and self.labels.kind == "multilabel":
            return np.tile(labels.mean(0), (len(one.test), 1))
        if head is None:
            return constant_prediction(labels, len(one.test), len(self.labels.classes))
        fitted = head.fit([block[one.train] for block in blocks], labels, one.inner, one.seed)
        return fitted.predict([block[one.test] for block in blocks])


def best_of(entries: dict[str, Entry], metric: Metric) -> str:
    """The name of the entry with the best mean."""
    sign = -1 if metric.higher_is_better is False else 1
    return max(entries, key=lambda name: sign * float(np.mean(entries[name].figures[metric.name])))
