"""Ridge regression whose strength is chosen by folds held out inside the examples, from one decomposition.

With X = U S V', standardised, the residuals of a fold b that was left out of the fit follow from the fit on
all examples: G_bb^-1 (G y)_b, where G = I - 1 1'/n - U S^2 / (S^2 + a) U'. So any number of strengths and
folds costs one decomposition, of X'X or of XX', whichever is smaller. Mean and deviation of the features are
those of all examples; labels of a fold have no part in its predictions.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import eigh

from lifecode.tasks.heads.head import Blocks
from lifecode.tasks.heads.standardise import Standardised

_STRENGTHS = 10.0 ** np.arange(-4, 5.01, 0.5)
"""Penalties a, in examples: 1 stands for the number of examples."""


class RidgeFit(NamedTuple):
    """A fit at the best strength.

    Attributes:
        weight: (num_features,).
        intercept: the prediction at features of 0.
        strength: the chosen one of `_STRENGTHS`.
        held_out: (n,) predictions of each example by the others' folds, at that strength.
    """

    weight: NDArray[np.float64]
    intercept: float
    strength: float
    held_out: NDArray[np.float64]


def fit_ridge(x: NDArray[np.float64], y: NDArray[np.float64], folds: NDArray[np.int64]) -> RidgeFit:
    """Ridge regression at the strength with the least squared error over held-out folds.

    Args:
        x: (n, num_features), standardised.
        y: (n,).
        folds: (n,) fold of each example.
    """
    num, width = x.shape
    centred = y - y.mean()
    if not width:
        return RidgeFit(np.zeros(0), float(y.mean()), float("inf"), np.full(num, y.mean()))
    left, squares, right = _decomposed(x)
    best: tuple[float, float, NDArray[np.float64]] | None = None
    rows = [np.flatnonzero(folds == fold) for fold in np.unique(folds)]
    for strength in _STRENGTHS:
        penalty = strength * num
        shrunk = squares / (squares + penalty)
        projected = left.T @ centred
        residual_all = centred - left @ (shrunk * projected)
        held_out = np.empty(num)
        for fold in rows:
            part = left[fold]
            own = np.eye(len(fold)) - 1 / num - (part * shrunk) @ part.T
            held_out[fold] = y[fold] - np.linalg.solve(own, residual_all[fold])
        error = float(np.mean((y - held_out) ** 2))
        if best is None or error < best[0]:
            best = (error, float(strength), held_out)
    assert best is not None
    _, strength, held_out = best
    scale = np.sqrt(squares) / (squares + strength * num)
    weight = right @ (scale * (left.T @ centred))
    return RidgeFit(weight, float(y.mean()), strength, held_out)


def _decomposed(
    x: NDArray[np.float64],
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """U (n, r), S^2 (r,) and V (num_features, r) of x = U S V', without what is 0 by rounding."""
    num, width = x.shape
    values, vectors = eigh(x.T @ x if width <= num else x @ x.T)
    kept = values > 1e-9 * values[-1]
    squares, vectors = values[kept], vectors[:, kept]
    other = (x @ vectors if width <= num else x.T @ vectors) / np.sqrt(squares)
    return (other, squares, vectors) if width <= num else (vectors, squares, other)


@dataclass(frozen=True, slots=True)
class LinearValues:
    """intercept + standardised features times weights."""

    standardised: Standardised
    weight: NDArray[np.float64]
    intercept: float
    strength: float = float("nan")

    kind = "ridge"

    @property
    def arrays(self) -> Mapping[str, NDArray]:
        """Six arrays."""
        return self.standardised._asdict() | {
            "weight": self.weight,
            "intercept": np.array([self.intercept]),
            "strength": np.array([self.strength]),
        }

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, NDArray]) -> "LinearValues":
        """What `arrays` gave."""
        standardised = Standardised(arrays["kept"].astype(bool), arrays["mean"], arrays["deviation"])
        return cls(
            standardised, arrays["weight"], float(arrays["intercept"][0]), float(arrays["strength"][0])
        )

    def predict(self, blocks: Blocks) -> NDArray[np.float64]:
        """Values (n,)."""
        return self.standardised(blocks) @ self.weight + self.intercept


@dataclass(frozen=True, slots=True)
class RidgeHead:
    """Ridge regression on all blocks side by side."""

    def fit(self, blocks: Blocks, labels: NDArray, folds: NDArray[np.int64], seed: int) -> LinearValues:
        """As `Head.fit`; nothing is drawn."""
        standardised = Standardised.of(blocks)
        found = fit_ridge(standardised(blocks), labels.astype(np.float64), folds)
        return LinearValues(standardised, found.weight, found.intercept, found.strength)
