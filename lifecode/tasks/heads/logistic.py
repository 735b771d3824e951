"""Logistic regression, by scikit-learn, whose strength is chosen by folds held out inside the examples.

Where there are more features than examples they are first turned into as many coordinates as there are
examples: an exact change of axes, under which an L2 penalty is the same.
"""

import warnings
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import log_softmax, softmax
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression

from lifecode.tasks.heads.head import Blocks
from lifecode.tasks.heads.standardise import Standardised

_STRENGTHS = (1e-4, 1e-3, 1e-2, 1e-1, 1.0)
"""Penalties per example on half the squared weights: scikit-learn's C is 1 / (strength x examples)."""
_MOST_STEPS = 300
"""Of the solver; where they do not suffice, with hardly any penalty, the weights count as they are then."""
_UNLIKELY = -20.0
"""Intercept of a class that a fold leaves without examples."""


@dataclass(frozen=True, slots=True)
class LinearClasses:
    """softmax(intercepts + standardised features times weights)."""

    standardised: Standardised
    weight: NDArray[np.float64]
    intercept: NDArray[np.float64]
    strength: float = float("nan")

    kind = "logistic"

    @property
    def arrays(self) -> Mapping[str, NDArray]:
        """Six arrays."""
        return self.standardised._asdict() | {
            "weight": self.weight,
            "intercept": self.intercept,
            "strength": np.array([self.strength]),
        }

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, NDArray]) -> "LinearClasses":
        """What `arrays` gave."""
        standardised = Standardised(arrays["kept"].astype(bool), arrays["mean"], arrays["deviation"])
        return cls(standardised, arrays["weight"], arrays["intercept"], float(arrays["strength"][0]))

    def predict(self, blocks: Blocks) -> NDArray[np.float64]:
        """Probabilities (n, num_classes)."""
        return softmax(self.standardised(blocks) @ self.weight + self.intercept, axis=1)


@dataclass(frozen=True, slots=True)
class LogisticHead:
    """Logistic regression on all blocks side by side, at the strength with the least log-loss held out."""

    def fit(self, blocks: Blocks, labels: NDArray, folds: NDArray[np.int64], seed: int) -> LinearClasses:
        """As `Head.fit`; nothing is drawn."""
        standardised = Standardised.of(blocks)
        x = standardised(blocks)
        num, width = x.shape
        axes = np.linalg.svd(x, full_matrices=False)[2].T if width > num else np.eye(width)
        x, num_classes = x @ axes, int(labels.max()) + 1
        losses = []
        for strength in _STRENGTHS:
            total = 0.0
            for fold in np.unique(folds):
                out = folds == fold
                weight, intercept = _fitted(x[~out], labels[~out], strength, num_classes)
                logs = log_softmax(x[out] @ weight + intercept, axis=1)
                total -= float(logs[np.arange(len(logs)), labels[out]].sum())
            losses.append(total)
        strength = _STRENGTHS[int(np.argmin(losses))]
        weight, intercept = _fitted(x, labels, strength, num_classes)
        return LinearClasses(standardised, axes @ weight, intercept, strength)


def _fitted(
    x: NDArray[np.float64], labels: NDArray, strength: float, num_classes: int
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Weights (num_features, num_classes) and intercepts; a class without examples is unlikely."""
    weight, intercept = np.zeros((x.shape[1], num_classes)), np.full(num_classes, _UNLIKELY)
    present, counts = np.unique(labels, return_counts=True)
    if len(present) == 1 or not x.shape[1]:
        intercept[present] = np.log(counts / len(labels))
        return weight, intercept
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        warnings.filterwarnings("ignore", "The number of unique classes")  # few of each are what there is
        model = LogisticRegression(C=1 / (strength * len(x)), max_iter=_MOST_STEPS).fit(x, labels)
    if len(present) == 2:  # scikit-learn keeps the second class's log-odds alone
        weight[:, present[1]], intercept[present] = model.coef_[0], [0.0, model.intercept_[0]]
    else:
        weight[:, present], intercept[present] = model.coef_.T, model.intercept_
    return weight, intercept
