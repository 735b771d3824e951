"""What a page on a task is drawn from: every model's predictions of the held-out examples, row by row."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lifecode.tasks.contest import Contest, Entry


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Evidence:
    """Held-out examples and what is said of them.

    Attributes:
        classes: names; none for a regression.
        model: the entry that is asked about.
        ids: (n,) of the examples.
        texts: (n,) their letters.
        labels: (n,) numbers of classes, or values.
        predictions: of each entry, values (n,) or probabilities (n, num_classes), the mean over seeds.
    """

    classes: tuple[str, ...]
    model: str
    ids: list[str]
    texts: list[str]
    labels: NDArray[np.number]
    predictions: Mapping[str, NDArray[np.float64]]

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
    return Evidence(
        classes=contest.labels.classes,
        model=model,
        ids=[ids[i] for i in rows.tolist()],
        texts=[texts[i] for i in rows.tolist()],
        labels=contest.all_labels[rows],
        predictions={name: predictions for name, (_, predictions) in combined.items()},
    )
