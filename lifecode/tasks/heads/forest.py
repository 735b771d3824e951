"""A forest of extremely randomised trees (Geurts et al. 2006) as flat arrays; scikit-learn grows them.

Arrays instead of scikit-learn's own objects, so that a fitted forest is kept without a pickle.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass

import numpy as np
from numpy.typing import NDArray

from lifecode.tasks.heads.standardise import standardised_labels

_NUM_TREES, _LEAST_IN_LEAF, _SHARE_OF_FEATURES = 200, 3, 0.1
_LEAF = -1


@dataclass(frozen=True, slots=True)
class Forest:
    """Nodes of all trees, one tree behind the other.

    Attributes:
        roots: (num_trees,) node that each tree begins with.
        feature: (num_nodes,) that a node asks for; -1 at a leaf.
        threshold: (num_nodes,) up to which an example goes left.
        left: (num_nodes,) next node there.
        right: (num_nodes,) next node elsewhere.
        value: (num_nodes,) mean label of the examples that came by.
    """

    roots: NDArray[np.int32]
    feature: NDArray[np.int32]
    threshold: NDArray[np.float64]
    left: NDArray[np.int32]
    right: NDArray[np.int32]
    value: NDArray[np.float64]

    @property
    def arrays(self) -> Mapping[str, NDArray]:
        """By the names of the attributes."""
        return asdict(self)

    def predict(self, table: NDArray[np.float32]) -> NDArray[np.float64]:
        """Values (n,) of features (n, num_features): the mean over trees."""
        total, examples = np.zeros(len(table)), np.arange(len(table))
        for root in self.roots:
            node = np.full(len(table), root)
            while len(going := examples[self.feature[node] != _LEAF]):
                at = node[going]
                goes_left = table[going, self.feature[at]] <= self.threshold[at]
                node[going] = np.where(goes_left, self.left[at], self.right[at])
            total += self.value[node]
        return total / len(self.roots)


def fit_forest(
    table: NDArray[np.float32], y: NDArray[np.float64], folds: NDArray[np.int64], seed: int
) -> tuple[Forest, NDArray[np.float64]]:
    """A forest of all examples, and predictions (n,) of each example by a forest of the others' folds."""
    held_out = np.empty(len(y))
    for fold in np.unique(folds):
        own = folds == fold
        held_out[own] = _grown(table[~own], y[~own], seed).predict(table[own])
    return _grown(table, y, seed), held_out


def _grown(table: NDArray[np.float32], y: NDArray[np.float64], seed: int) -> Forest:
    """On standardised labels: scikit-learn splits no node of variance below 2e-16, as of values in mol/l."""
    from sklearn.ensemble import ExtraTreesRegressor

    grower = ExtraTreesRegressor(
        _NUM_TREES, min_samples_leaf=_LEAST_IN_LEAF, max_features=_SHARE_OF_FEATURES, random_state=seed
    )
    labels, mean, deviation = standardised_labels(y)
    trees = [one.tree_ for one in grower.fit(table, labels).estimators_]
    ends = np.cumsum([0, *(tree.node_count for tree in trees)])
    leaf = np.concatenate([tree.children_left for tree in trees]) == _LEAF

    def joined(name: str) -> NDArray[np.int32]:
        moved = [getattr(tree, name) + first for tree, first in zip(trees, ends, strict=False)]
        return np.concatenate(moved).astype(np.int32)

    return Forest(
        roots=ends[:-1].astype(np.int32),
        feature=np.where(leaf, _LEAF, np.concatenate([tree.feature for tree in trees])).astype(np.int32),
        threshold=np.concatenate([tree.threshold for tree in trees]),
        left=joined("children_left"),
        right=joined("children_right"),
        value=mean + deviation * np.concatenate([tree.value[:, 0, 0] for tree in trees]),
    )
