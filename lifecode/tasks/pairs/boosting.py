"""Gradient boosting, by scikit-learn: of trees of fixed size; for pairs, whose sides must interact.

It is fitted and applied, and not kept: a kept forest would be a pickle.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lifecode.tasks.heads.head import Blocks

_NUM_TREES, _LEARNING_RATE = 200, 0.1


@dataclass(frozen=True, slots=True)
class Boosted:
    """Fitted trees."""

    model: Any
    num_classes: int

    kind = "boosting"

    @property
    def arrays(self) -> Mapping[str, NDArray]:
        """None: trees are not kept."""
        return {}

    def predict(self, blocks: Blocks) -> NDArray[np.float64]:
        """Values (n,), or probabilities (n, num_classes)."""
        table = np.concatenate(blocks, axis=1)
        if not self.num_classes:
            return self.model.predict(table)
        found = np.zeros((len(table), self.num_classes))
        found[:, self.model.classes_] = self.model.predict_proba(table)
        return found


@dataclass(frozen=True, slots=True)
class BoostingHead:
    """200 trees of at most 31 leaves; nothing is chosen.

    Attributes:
        regression: whether labels are values.
    """

    regression: bool

    def fit(self, blocks: Blocks, labels: NDArray, folds: NDArray[np.int64], seed: int) -> Boosted:
        """As `Head.fit`."""
        from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor

        kind = HistGradientBoostingRegressor if self.regression else HistGradientBoostingClassifier
        given: Any = {"max_iter": _NUM_TREES, "learning_rate": _LEARNING_RATE, "early_stopping": False}
        model = kind(random_state=seed, **given)
        fitted = model.fit(np.concatenate(blocks, axis=1), labels)
        return Boosted(fitted, 0 if self.regression else int(labels.max()) + 1)
