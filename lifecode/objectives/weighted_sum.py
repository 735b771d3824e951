"""A plain weighted sum of the tasks' mean losses."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor

from lifecode.errors import UserError
from lifecode.objectives.joint import JointObjective
from lifecode.objectives.loss import Loss


class WeightedSum(JointObjective):
    """Sum of weight x mean loss over the tasks that have positions.

    Args:
        mlm: weight of masked modelling.
        translation: weight of translation.
        distillation: weight of distillation.
    """

    ahead = True

    def __init__(self, mlm: float = 1.0, translation: float = 1.0, distillation: float = 1.0) -> None:
        self.of_task = {"mlm": mlm, "translation": translation, "distillation": distillation}
        self.require_some()

    def require_some(self) -> None:
        """Raises a `UserError` unless all weights are finite, none is negative and one is positive."""
        weights = self.of_task.values()
        if not all(0 <= weight < math.inf for weight in weights) or not any(weights):
            raise UserError(
                "weights must be finite and not negative, and one must be positive",
                source="objective.joint",
                remedy="1.0 for each task is the default",
            )

    @property
    def config(self) -> dict[str, Any]:
        """The arguments it was made with."""
        return dict(self.of_task)

    @property
    def description(self) -> str:
        """Its name and settings."""
        return f"weighted_sum, {', '.join(f'{weight:g}' for weight in self.of_task.values())}"

    @classmethod
    def choices(cls) -> list[JointObjective]:
        """With its defaults."""
        return [cls()]

    def require_weight(self, tasks: Sequence[str]) -> None:
        """One of the tasks must weigh something; see `JointObjective.require_weight`."""
        if lacking := [name for name in tasks if name not in self.of_task]:
            raise UserError(
                f"knows no weight of {', '.join(lacking)}; it weighs {', '.join(self.of_task)}",
                source="objective.joint",
                remedy="Take lifecode.objectives.WeightedTasks, which weighs tasks by their names",
            )
        self._require_any(tasks)

    def _require_any(self, tasks: Sequence[str]) -> None:
        if not any(self.of_task[name] for name in tasks):
            raise UserError(
                f"gives no weight to any task of this stage ({', '.join(tasks)}), which would learn nothing",
                source="objective.joint",
                remedy="Give one of these a weight; distillation alone needs a teacher and stage=encoder",
            )

    def weights(self, losses: Mapping[str, Loss]) -> dict[str, Tensor]:
        """weight / count of each task, 0 for a task without positions."""
        return self.weights_ahead({name: loss.count for name, loss in losses.items()})

    def weights_ahead(self, counts: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """The same, known from the counts."""
        return {
            name: torch.where(count > 0, self.of_task[name] / count.clamp(min=1), 0.0)
            for name, count in counts.items()
        }

    def value(self, losses: Mapping[str, Loss]) -> Tensor:
        """The weighted sum, over the tasks that have positions."""
        return torch.stack([self.of_task[name] * loss.mean for name, loss in losses.items()]).sum()
