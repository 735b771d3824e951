"""Gradient boosting, by scikit-learn: of trees of fixed size; for pairs, whose sides must interact.

It is fitted and applied, and not kept: a kept forest would be a pickle.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lifecode.tasks.heads.head import Blocks
from lifecode.tasks.heads.standardise import standardised_labels

_NUM_TREES, _LEARNING_RATE = 200, 0.1
_MOST_NEEDED_IN_LEAF, _LEAVES_AT_LEAST = 20, 10
"""Examples that a leaf needs, scikit-learn's 20, but of fewer than 200 a tenth: 39 would make no split."""


@dataclass(frozen=True, slots=True)
class Boosted:
    """Fitted trees; of values their mean and deviation, as they learnt standardised ones."""

    model: Any
    num_classes: int
    mean: float = 0.0
    deviation: float = 1.0

    kind = "boosting"

    @property
    def arrays(self) -> Mapping[str, NDArray]:
        """None: trees are not kept."""
        return {}

    def predict(self, blocks: Blocks) -> NDArray[np.float64]:
        """Values (n,), or probabilities (n, num_classes)."""
        table = np.concatenate(blocks, axis=1)
        if not self.num_classes:
            return self.mean + self.deviation * self.model.predict(table)
        found = np.zeros((len(table), self.num_classes))
        found[:, self.model.classes_] = self.model.predict_proba(table)
        return found


@dataclass(frozen=True, slots=True)
class BoostingHead:
    """200 trees of at most 31 leaves, each of a tenth of the examples or 20; nothing is chosen.

    Attributes:
        regression: whether labels are values.
    """

    regression: bool

    def fit(self, blocks: Blocks, labels: NDArray, folds: NDArray[np.int64], seed: int) -> Boosted:
        """As `Head.fit`."""
        from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor

        given: Any = {"max_iter": _NUM_TREES, "learning_rate": _LEARNING_RATE, "early_stopping": False}
        given["min_samples_leaf"] = max(1, min(_MOST_NEEDED_IN_LEAF, len(labels) // _LEAVES_AT_LEAST))
        given["random_state"], table = seed, np.concatenate(blocks, axis=1)
        if not self.regression:
            model = HistGradientBoostingClassifier(**given).fit(table, labels)
            return Boosted(model, int(labels.max()) + 1)
        values, mean, deviation = standardised_labels(labels.astype(np.float64))  # float32 within
        return Boosted(HistGradientBoostingRegressor(**given).fit(table, values), 0, mean, deviation)
