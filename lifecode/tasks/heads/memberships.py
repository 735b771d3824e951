"""Several classes for one example: a logistic regression for each, with a strength of its own."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lifecode.tasks.heads.head import Blocks
from lifecode.tasks.heads.logistic import LinearClasses, LogisticHead


@dataclass(frozen=True, slots=True)
class Memberships:
    """For each class the head that tells its examples from the others."""

    heads: tuple[LinearClasses, ...]

    kind = "memberships"

    @property
    def arrays(self) -> Mapping[str, NDArray]:
        """Those of each class, their names behind its number."""
        return {f"{i}.{name}": x for i, head in enumerate(self.heads) for name, x in head.arrays.items()}

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, NDArray]) -> "Memberships":
        """What `arrays` gave."""
        by_class: dict[int, dict[str, NDArray]] = {}
        for name, array in arrays.items():
            number, _, inner = name.partition(".")
            by_class.setdefault(int(number), {})[inner] = array
        return cls(tuple(LinearClasses.from_arrays(by_class[number]) for number in range(len(by_class))))

    def predict(self, blocks: Blocks) -> NDArray[np.float64]:
        """Probabilities (n, num_classes) that do not sum to 1."""
        return np.stack([head.predict(blocks)[:, 1] for head in self.heads], axis=1)


@dataclass(frozen=True, slots=True)
class MembershipsHead:
    """Fits a logistic regression for each class."""

    def fit(self, blocks: Blocks, labels: NDArray, folds: NDArray[np.int64], seed: int) -> Memberships:
        """The heads of these examples; `labels` are 0 or 1 (n, num_classes)."""
        return Memberships(tuple(LogisticHead().fit(blocks, column, folds, seed) for column in labels.T))
