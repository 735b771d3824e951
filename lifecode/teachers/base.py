"""What a protein teacher is: proteins in, one feature vector per residue out.

Distributions, centring and temperature are the distillation loss's business (Life-Code Eq. 4), so that one
set of stored features serves every reading of it.
"""

from abc import ABC, abstractmethod
from collections.abc import Sequence

import torch
from torch import Tensor, nn


class ProteinTeacher(nn.Module, ABC):
    """A frozen protein encoder, with nothing to train. It runs before training, never inside it.

    Attributes:
        name: identifies the weights and every setting that changes the features; stored features are keyed
            by it. Fit for the name of a folder.
        width: features per residue, D'.
    """

    name: str
    width: int

    @abstractmethod
    def encode(self, proteins: Sequence[str]) -> list[Tensor]:
        """Features (num_residues, width) float32 of each protein, in any case, on the teacher's device.

        The features of a protein do not depend on the other proteins of the call.

        Raises:
            UserError: at a character that is no residue letter.
        """

    @classmethod
    def stated_width(cls, checkpoint: str | None) -> int | None:
        """D' of a teacher that is not made yet, as a plan asks: no weights are loaded or downloaded.

        Args:
            checkpoint: a folder, or a name on the hub; None of a teacher that has none.

        Returns:
            None where it cannot be told.
        """
        return None

    @torch.no_grad()
    def forward(self, proteins: Sequence[str]) -> list[Tensor]:
        """`encode` without gradients."""
        return self.encode(proteins)
