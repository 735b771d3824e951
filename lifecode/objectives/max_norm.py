"""DB-MTL (Lin et al. 2023, arXiv 2308.12029): logarithm of losses, largest norm of gradients.

Each task's loss enters as log(L + eps). At the parameters that all tasks share, every task's gradient is
then stretched to the norm of the largest; the parameters of single tasks take theirs as it is. The paper's
moving average of the gradients is left out (its beta is 0 here): it would keep a copy of them for each task.
"""

import math
from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor

from lifecode.errors import UserError
from lifecode.objectives.joint import TINY, JointObjective, log_sum, log_sum_weights
from lifecode.objectives.loss import Loss


class MaxNorm(JointObjective):
    """The log-sum with every task's gradient at shared parameters scaled to the largest of their norms.

    Args:
        eps: keeps a task near zero from deciding which norm is the largest.
    """

    balances_gradients = True

    def __init__(self, eps: float = 1e-3) -> None:
        if not 0 < eps < math.inf:
            raise UserError(
                f"eps {eps} is not positive and finite",
                source="objective.joint.eps",
                remedy="1e-3 is the default",
            )
        self.eps = eps

    @property
    def config(self) -> dict[str, Any]:
        """The arguments it was made with."""
        return {"eps": self.eps}

    @property
    def description(self) -> str:
        """Its name and settings."""
        return f"max_norm, eps {self.eps:g}"

    @classmethod
    def choices(cls) -> list[JointObjective]:
        """With its defaults."""
        return [cls()]

    def weights(self, losses: Mapping[str, Loss]) -> dict[str, Tensor]:
        """1 / (total + eps count) of each task, 0 for a task without positions."""
        return log_sum_weights(losses, self.eps)

    def value(self, losses: Mapping[str, Loss]) -> Tensor:
        """The log-sum over the tasks that have positions."""
        return log_sum(losses, self.eps)

    def scales(self, norms: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """Largest norm / own norm; 0 for a task without gradient."""
        largest = torch.stack(list(norms.values())).amax()
        return {
            name: torch.where(norm > 0, largest / norm.clamp(min=TINY), 0.0) for name, norm in norms.items()
        }
