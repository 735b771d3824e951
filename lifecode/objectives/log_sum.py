"""The log-sum that joins the tasks (Life-Code Eq. 5): sum over tasks of log(L + eps).

Its gradient is each task's gradient divided by (L + eps), where L is the task's mean over the whole
effective batch. The weights therefore come from totals and counts of all micro-batches and processes,
and the step does not depend on how the batch was split.
"""

import math
from collections.abc import Mapping
from typing import Any, Literal

import torch
from torch import Tensor

from lifecode.errors import UserError
from lifecode.objectives.joint import JointObjective, log_sum, log_sum_weights
from lifecode.objectives.loss import Loss


class LogSum(JointObjective):
    """Weights of the tasks' totals whose weighted sum has the gradient of the log-sum.

    Args:
        eps: keeps a task near zero from taking over.
        weights: `exact` divides by this step's losses, which several micro-batches must measure first;
            `lagged` by those of the last step that had the task, which costs nothing. The first step of a
            task is always measured.
    """

    def __init__(self, eps: float = 1e-3, weights: Literal["exact", "lagged"] = "exact") -> None:
        if not 0 < eps < math.inf:
            raise UserError(
                f"eps {eps} is not positive and finite",
                source="objective.joint.eps",
                remedy="1e-3 is the default",
            )
        self.eps = eps
        self.ahead = weights == "lagged"
        self._previous: dict[str, float] = {}

    @property
    def config(self) -> dict[str, Any]:
        """The arguments it was made with."""
        return {"eps": self.eps, "weights": "lagged" if self.ahead else "exact"}

    @property
    def description(self) -> str:
        """Its name and settings."""
        return f"log_sum, eps {self.eps:g}, {'lagged' if self.ahead else 'exact'}"

    @classmethod
    def choices(cls) -> list[JointObjective]:
        """With exact and with lagged weights."""
        return [cls(), cls(weights="lagged")]

    def weights(self, losses: Mapping[str, Loss]) -> dict[str, Tensor]:
        """1 / (total + eps count) of each task, 0 for a task without positions."""
        return log_sum_weights(losses, self.eps)

    def weights_ahead(self, counts: Mapping[str, Tensor]) -> dict[str, Tensor] | None:
        """1 / (count (L + eps)) with L of an earlier step; None if a task has none."""
        if any(count > 0 and name not in self._previous for name, count in counts.items()):
            return None
        return {
            name: torch.where(
                count > 0, 1 / (count.clamp(min=1) * (self._previous.get(name, 0.0) + self.eps)), 0.0
            )
            for name, count in counts.items()
        }

    def value(self, losses: Mapping[str, Loss]) -> Tensor:
        """The log-sum itself, over the tasks that have positions."""
        return log_sum(losses, self.eps)

    def remember(self, losses: Mapping[str, Loss]) -> None:
        """Keeps the loss of each task that the step had."""
        if self.ahead:
            self._previous |= {name: float(loss.mean) for name, loss in losses.items() if loss.count > 0}

    def state_dict(self) -> dict[str, float]:
        """The last loss of each task, for `lagged`."""
        return dict(self._previous)

    def load_state_dict(self, state: Mapping[str, float]) -> None:
        """Takes up what `state_dict` left."""
        self._previous = dict(state)
