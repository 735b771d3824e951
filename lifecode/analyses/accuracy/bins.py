"""Rows in bins of something that each has one of, and the accuracy in a bin with its interval."""

from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray


class Axis(NamedTuple):
    """Something that every held-out row has one of.

    Attributes:
        name: in tables.
        values: (n,) numbers, NaN where a row has none, or words.
        none: name of the bin of NaN.
    """

    name: str
    values: NDArray[Any]
    none: str = "not given"


def bins_of(axis: Axis, most: int) -> list[tuple[str, NDArray[np.bool_]]]:
    """Name and rows of each bin that has any: one a word, one a value, or `most` of about equal size."""
    if axis.values.dtype.kind == "U":
        return [(str(word), axis.values == word) for word in np.unique(axis.values)]
    known = np.isfinite(axis.values)
    found = []
    distinct = np.unique(axis.values[known])
    if len(distinct) <= most:
        texts = _texts(distinct)
        found = [(text, axis.values == value) for text, value in zip(texts, distinct.tolist(), strict=True)]
    else:
        edges = np.unique(np.quantile(axis.values[known], np.linspace(0, 1, most + 1)))
        number = np.clip(np.searchsorted(edges, axis.values, side="right") - 1, 0, len(edges) - 2)
        for i, (low, high) in enumerate(pairwise(_texts(edges))):
            found.append((f"{low} to {high}", known & (number == i)))
    found.append((axis.none, ~known))
    return [(text, rows) for text, rows in found if rows.any()]


def _texts(values: NDArray[np.float64]) -> list[str]:
    """Different numbers in as few digits as tell them apart, three at least."""
    forms = ([f"{value:.{digits}g}" for value in values.tolist()] for digits in range(3, 18))
    return next(texts for texts in forms if len(set(texts)) == len(texts))


def interval(right: NDArray[np.bool_]) -> tuple[float, float, float]:
    """Accuracy and its 95 % Wilson interval."""
    from scipy.stats import binomtest

    found = binomtest(int(right.sum()), len(right)).proportion_ci(0.95, "wilson")
    return float(right.mean()), float(found.low), float(found.high)
