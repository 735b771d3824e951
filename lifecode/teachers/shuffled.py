"""The control of distillation: the teacher's features, each at another residue.

All residues of the training proteins are permuted together, by the seed alone. So the targets keep their
distribution, to the last vector, and with it centre, scale and entropy, while nothing about a residue can be
learnt from them: what a student gains from the true features and not from these is knowledge of the teacher.
Permuting proteins instead would keep what follows from a residue's place, such as the methionine at the
start; permuting within a protein would keep what the protein is. The permutation is the same in every epoch,
as the true features are.
"""

import numpy as np
from numpy.typing import NDArray

from lifecode.randomness.permutation import permuted
from lifecode.randomness.random_words import Use, word_key
from lifecode.teachers.features import TeacherFeatures


class ShuffledFeatures:
    """Features of a set of proteins with all their residues permuted, computed at each look-up.

    Args:
        features: the true ones; of training proteins alone, or training would be shown held-out features.
        seed: of the permutation.
    """

    def __init__(self, features: TeacherFeatures, seed: int) -> None:
        self.features, self.seed = features, seed

    def get(self, protein: str) -> NDArray[np.float16] | None:
        """Features (num_residues, width) of other residues, or None for a protein that is not in the set."""
        span = self.features.span(protein)
        if span is None:
            return None
        key = word_key(Use.TEACHER_SHUFFLE, self.seed)
        return self.features.residues(permuted(np.arange(*span), self.features.num_residues, key))
