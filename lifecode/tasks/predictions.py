"""Predictions as a table: ids in their order, and a value, or the likeliest class and every probability.

Where positions have labels of their own, a position is a row.
"""

from typing import Any, Protocol

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from lifecode.alphabet import IGNORE
from lifecode.tasks.examples.examples import flat
from lifecode.tasks.examples.joined_classes import BETWEEN_LABELS
from lifecode.tasks.examples.labels import Labels
from lifecode.tasks.scores import LIKELY


class Identified(Protocol):
    """Examples of any unit."""

    @property
    def ids(self) -> list[str]:
        """Of each."""
        ...

    @property
    def labels(self) -> NDArray[Any]:
        """Of each."""
        ...


def predictions_table(
    examples: Identified, labels: Labels, predictions: NDArray[Any], *, labelled: bool = True
) -> pa.Table:
    """Columns `id`, `label` where it is known, `prediction`, and for each class its probability `p(NAME)`.

    Of positions also `position`, from 1 on; a label that is not known is empty there. Where logarithms were
    learnt, `label` and `prediction` are in the units of the labels, and `log(prediction)` stands beside them.

    Args:
        examples: in the order of the rows.
        labels: kind and classes.
        predictions: (n,) values in the units of the labels, or probabilities (n, num_classes), of positions
            one array for each example.
        labelled: whether the examples have labels.
    """
    numbers: NDArray[Any] = flat(examples.labels) if labelled else np.zeros(0)
    columns: dict[str, Any] = {"id": examples.ids}
    if labels.unit != "sequence":
        sizes = [len(each) for each in predictions]
        columns["id"] = [name for name, size in zip(examples.ids, sizes, strict=True) for _ in range(size)]
        columns["position"] = np.concatenate([np.arange(1, size + 1) for size in sizes])
        predictions = flat(predictions)
    if labels.kind == "multilabel":
        columns |= {"label": _joined(labels, numbers == 1)} if labelled else {}
        columns["prediction"] = _joined(labels, predictions >= LIKELY)
        columns |= {f"p({name})": predictions[:, number] for number, name in enumerate(labels.classes)}
    elif labels.classes:
        named = np.array(labels.classes)
        if labelled:
            columns["label"] = [
                None if number == IGNORE else labels.classes[number] for number in numbers.tolist()
            ]
        columns["prediction"] = named[predictions.argmax(1)].tolist()
        columns |= {f"p({name})": predictions[:, number] for number, name in enumerate(labels.classes)}
    else:
        columns |= {"label": pa.array(as_given(labels, numbers), from_pandas=True)} if labelled else {}
        columns["prediction"] = predictions
        if labels.transform is not None:
            columns[f"{labels.transform}(prediction)"] = labels.learnt(predictions)
    return pa.table(columns)


def as_given(labels: Labels, learnt: NDArray[Any]) -> NDArray[Any]:
    """Values as in the file, to twelve digits where logarithms were learnt: exp(log(3)) is not quite 3."""
    if labels.transform is None:
        return learnt
    return np.array([float(f"{value:.12g}") for value in labels.given(learnt)])


def _joined(labels: Labels, has: NDArray[np.bool_]) -> list[str]:
    return [
        BETWEEN_LABELS.join(name for name, is_in in zip(labels.classes, row, strict=True) if is_in)
        for row in has
    ]
