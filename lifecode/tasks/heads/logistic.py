"""Logistic regression, by scikit-learn, whose strength is chosen by folds held out inside the examples.

Where there are more features than examples they are first turned into as many coordinates as there are
examples: an exact change of axes, under which an L2 penalty is the same.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import softmax
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import log_loss

from lifecode.tasks.heads.head import Blocks
from lifecode.tasks.heads.standardise import Standardised

STRENGTHS = (1e-4, 1e-3, 1e-2, 1e-1, 1.0)
"""Penalties a example on half the squared weights: scikit-learn's C is 1 / (strength x examples)."""
_MOST_STEPS = 300


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
        """As `Head.fit`; nothing is drawn. Every fold leaves at least one example of each class."""
        standardised = Standardised.of(blocks)
        x = standardised(blocks)
        num, width = x.shape
        axes = np.linalg.svd(x, full_matrices=False)[2].T if width > num else np.eye(width)
        x, classes = x @ axes, np.arange(labels.max() + 1)
        losses = [
            np.mean([self._loss(x, labels, folds == fold, strength, classes) for fold in np.unique(folds)])
            for strength in STRENGTHS
        ]
        strength = STRENGTHS[int(np.argmin(losses))]
        weight, intercept = _fitted(x, labels, strength)
        return LinearClasses(standardised, axes @ weight, intercept, strength)

    @staticmethod
    def _loss(
        x: NDArray[np.float64],
        labels: NDArray,
        held_out: NDArray[np.bool_],
        strength: float,
        classes: NDArray[np.int64],
    ) -> float:
        weight, intercept = _fitted(x[~held_out], labels[~held_out], strength)
        return float(
            log_loss(labels[held_out], softmax(x[held_out] @ weight + intercept, axis=1), labels=classes)
        )


def _fitted(x: NDArray[np.float64], labels: NDArray, strength: float) -> tuple[NDArray[np.float64], NDArray]:
    """Weights (num_features, num_classes) and intercepts (num_classes,)."""
    if not x.shape[1]:
        shares = np.bincount(labels) / len(labels)
        return np.zeros((0, len(shares))), np.log(shares)
    model = LogisticRegression(C=1 / (strength * len(x)), max_iter=_MOST_STEPS, tol=1e-4)
    model.fit(x, labels)
    if len(model.classes_) == 2:  # scikit-learn keeps the second class's log-odds alone
        zeros = np.zeros_like(model.coef_)
        return np.concatenate([zeros, model.coef_]).T, np.array([0.0, model.intercept_[0]])
    return model.coef_.T, model.intercept_
