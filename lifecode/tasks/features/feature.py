"""What every kind of features is: a function of sequences, described by values that JSON can hold."""

from collections.abc import Sequence
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray


class Features(Protocol):
    """Numbers made of sequences, one row each, that depend on nothing but the sequence."""

    @property
    def name(self) -> str:
        """For tables and files."""
        ...

    @property
    def config(self) -> dict[str, Any]:
        """What `lifecode.tasks.features.registry.features_from` makes the same features of."""
        ...

    def __call__(self, sequences: Sequence[NDArray[np.uint8]]) -> NDArray[np.float32]:
        """(n, num_features) of nucleotide ids (length,) of n sequences."""
        ...
