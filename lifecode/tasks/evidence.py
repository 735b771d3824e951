"""What a page on a task is drawn from: every model's predictions of the held-out examples, row by row."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from scipy.stats import rankdata

from lifecode.tasks.contest import Contest, Entry
from lifecode.tasks.examples.examples import flat
from lifecode.tasks.examples.labels import Labels
from lifecode.tasks.predictions import as_given
from lifecode.tasks.scores import is_known

_AROUND = 20
"""Nucleotides that are shown on either side of a position."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Evidence:
    """Held-out examples, positions of them, or classes that they may have, and what is said of them.

    Attributes:
        classes: names; none for a regression.
        model: the entry that is asked about.
        ids: (n,) of the examples.
        texts: (n,) their letters.
        labels: (n,) numbers of classes, or values.
        predictions: of each entry, values (n,) or probabilities (n, num_classes), the mean over seeds.
        of: the labels of the task; where logarithms were learnt, `labels` and `predictions` are these.
    """

    classes: tuple[str, ...]
    model: str
    ids: list[str]
    texts: list[str]
    labels: NDArray[np.number]
    predictions: Mapping[str, NDArray[np.float64]]
    of: Labels = field(default_factory=lambda: Labels("regression"))

    @property
    def ours(self) -> NDArray[np.float64]:
        """The predictions of the model."""
        return self.predictions[self.model]

    @property
    def errors(self) -> NDArray[np.float64]:
        """(n,) how wrong: 1 - the probability of the right class, or the distance of a value."""
        if self.classes:
            return 1 - self.ours[np.arange(len(self.labels)), self.labels.astype(np.int64)]
        return np.abs(self.ours - self.labels)

    @property
    def compared(self) -> pa.Table:
        """Columns `id`, `label`, and of each entry `prediction(NAME)`: the likeliest class, or a value.

        Values are in the units of the labels that were given, also where logarithms were learnt.
        """
        columns: dict[str, Any] = {"id": self.ids, "label": self._said(self.labels)}
        for name, each in self.predictions.items():
            columns[f"prediction({name})"] = self._said(each.argmax(1) if self.classes else each)
        return pa.table(columns)

    def _said(self, numbers: NDArray[Any]) -> list[Any]:
        if not self.classes:
            return as_given(self.of, numbers).tolist()
        return [self.classes[int(number)] for number in numbers]


def evidence_of(
    contest: Contest, entries: Mapping[str, Entry], model: str, ids: list[str], texts: list[str]
) -> Evidence:
    """The rows that were held out, in their order.

    Args:
        contest: rounds and labels.
        entries: by name.
        model: name of the entry that is asked about.
        ids: of all examples.
        texts: likewise, their letters.
    """
    combined = {name: contest.combined(entry) for name, entry in entries.items()}
    rows = combined[model][0]
    found = Evidence(
        classes=contest.labels.classes,
        model=model,
        ids=[ids[i] for i in rows.tolist()],
        texts=[texts[i] for i in rows.tolist()],
        labels=contest.all_labels[rows],
        predictions={name: predictions for name, (_, predictions) in combined.items()},
        of=contest.labels,
    )
    if contest.labels.unit != "sequence":
        found = _by_position(found, 3 if contest.labels.unit == "codon" else 1)
    return _by_class(found) if contest.labels.kind == "multilabel" else found


def ranked(values: Evidence) -> Evidence:
    """The same with ranks from 0 to 1 for labels and predictions, where these are in units of their own."""

    def ranks(numbers: NDArray[np.number]) -> NDArray[np.float64]:
        return (rankdata(numbers) - 0.5) / max(1, len(numbers))

    predictions = {name: ranks(each) for name, each in values.predictions.items()}
    return replace(values, labels=ranks(values.labels), predictions=predictions)


def _by_position(of_sequences: Evidence, num_nucleotides: int) -> Evidence:
    """A row for each position with a label, whose letters are those around it."""
    ids, texts = [], []
    for name, text, labels in zip(of_sequences.ids, of_sequences.texts, of_sequences.labels, strict=True):
        for place in np.flatnonzero(is_known(labels)).tolist():
            start, end = place * num_nucleotides, (place + 1) * num_nucleotides
            before, behind = text[max(0, start - _AROUND) : start], text[end : end + _AROUND]
            ids.append(f"{name}:{place + 1}")
            texts.append(f"{before}[{text[start:end]}]{behind}")
    rows = is_known(flat(of_sequences.labels))
    return replace(
        of_sequences,
        ids=ids,
        texts=texts,
        labels=flat(of_sequences.labels)[rows],
        predictions={name: flat(each)[rows] for name, each in of_sequences.predictions.items()},
    )


def _by_class(of_examples: Evidence) -> Evidence:
    """A row for each class of each example: whether it has it."""
    classes = of_examples.classes
    return replace(
        of_examples,
        classes=("has not", "has"),
        ids=[f"{name}: {each}" for name in of_examples.ids for each in classes],
        texts=[text for text in of_examples.texts for _ in classes],
        labels=of_examples.labels.ravel(),
        predictions={
            name: np.stack([1 - each.ravel(), each.ravel()], axis=1)
            for name, each in of_examples.predictions.items()
        },
    )
