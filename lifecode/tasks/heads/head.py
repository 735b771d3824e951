"""What every head is: fitted on blocks of features and labels, kept as named arrays, never as a pickle."""

from collections.abc import Mapping, Sequence
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

Blocks = Sequence[NDArray[np.float32]]
"""Features of the same examples, one array (n, num_features) for each kind of features."""


class FittedHead(Protocol):
    """Predicts labels of blocks of the widths it was fitted on."""

    @property
    def kind(self) -> str:
        """By which `lifecode.tasks.heads.saved` finds its class."""
        ...

    @property
    def arrays(self) -> Mapping[str, NDArray]:
        """All that it learnt."""
        ...

    def predict(self, blocks: Blocks) -> NDArray[np.float64]:
        """Values (n,) of a regression, or the probability of each class (n, num_classes)."""
        ...


class Head(Protocol):
    """Chooses its strength inside the examples that it is given, and learns from all of them."""

    def fit(self, blocks: Blocks, labels: NDArray, folds: NDArray[np.int64], seed: int) -> FittedHead:
        """The head of these examples.

        Args:
            blocks: features of n examples.
            labels: (n,) values, or numbers of classes from 0 on.
            folds: (n,) fold that each example is held out in while the strength is chosen; whole groups.
            seed: of anything drawn.
        """
        ...
