"""The multi-hot vector: which words a sequence has, of all that there are."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lifecode.tasks.examples.molecule import Molecule
from lifecode.tasks.features.counts import Kmers
from lifecode.tasks.features.feature import Features
from lifecode.tasks.features.residue_counts import ResidueKmers

_NUCLEOTIDES, _RESIDUES = 4, 2
"""Letters of a word."""


@dataclass(frozen=True, slots=True)
class MultiHot:
    """1 for each word that stands in a sequence at least once, 0 for the others.

    Attributes:
        words: what counts them, a column each.
    """

    words: Features

    name = "multi-hot"

    @classmethod
    def of(cls, molecule: Molecule) -> "MultiHot":
        """Of 4-mers of nucleotides, or 2-mers of residues."""
        return cls(ResidueKmers(_RESIDUES) if molecule == "protein" else Kmers(_NUCLEOTIDES))

    @property
    def config(self) -> dict[str, Any]:
        """Its name and that of the words."""
        return {"features": "multi_hot", "words": self.words.config}

    def __call__(self, sequences: Sequence[NDArray[np.uint8]]) -> NDArray[np.float32]:
        """(n, number of words)."""
        return (self.words(sequences) > 0).astype(np.float32)
