"""Predictions as a table: ids in their order, and a value, or the likeliest class and every probability."""

from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from lifecode.tasks.examples.examples import Examples
from lifecode.tasks.examples.labels import Labels


def predictions_table(
    examples: Examples, labels: Labels, predictions: NDArray[np.float64], *, labelled: bool = True
) -> pa.Table:
    """Columns `id`, `label` where it is known, `prediction`, and for each class its probability `p(NAME)`.

    Args:
        examples: in the order of the rows.
        labels: kind and classes.
        predictions: (n,) values, or probabilities (n, num_classes).
        labelled: whether the examples have labels.
    """
    columns: dict[str, Any] = {"id": examples.ids}
    if labels.classes:
        named = np.array(labels.classes)
        if labelled:
            columns["label"] = named[examples.labels.astype(np.int64)].tolist()
        columns["prediction"] = named[predictions.argmax(1)].tolist()
        columns |= {f"p({name})": predictions[:, number] for number, name in enumerate(labels.classes)}
    else:
        columns |= {"label": examples.labels} if labelled else {}
        columns["prediction"] = predictions
    return pa.table(columns)
