"""What joins the tasks of a step into one direction of descent.

A joint objective turns the losses of a whole effective batch (all micro-batches of all processes) into
weights of the tasks' totals. It never sees a part of the batch, so how the batch is cut cannot matter.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor

from lifecode.objectives.cost import StepCost, one_pass, pass_per_task
from lifecode.objectives.loss import Loss

TINY = 1e-30


class JointObjective:
    """Base of the joint objectives; each is one choice of the config group `objective/joint`.

    A new one is a subclass in its own file and a config: training asks for what it does, a plan for its
    description and its cost.

    Attributes:
        ahead: whether the weights can be known before any forward pass, from counts alone.
        balances_gradients: whether `scales` wants the norm of each task's gradient.
    """

    ahead = False
    balances_gradients = False

    @property
    def config(self) -> dict[str, Any]:
        """The arguments it was made with."""
        return {}

    @property
    def description(self) -> str:
        """Name of its config, then its settings, for a plan: `log_sum, eps 0.001, exact`."""
        return type(self).__name__

    @classmethod
    def choices(cls) -> list["JointObjective"]:
        """Settings whose cost a plan compares with that of what is chosen; none by default."""
        return []

    def require_weight(self, tasks: Sequence[str]) -> None:
        """Refuses tasks of which none has a weight: a stage would train nothing.

        Raises:
            UserError: that is so.
        """

    def weights(self, losses: Mapping[str, Loss]) -> dict[str, Tensor]:
        """d objective / d total of each task, 0 for a task without positions; from the whole batch."""
        raise NotImplementedError

    def weights_ahead(self, counts: Mapping[str, Tensor]) -> dict[str, Tensor] | None:
        """The same from the positions of the whole batch alone; None if this step must be measured."""
        return None

    def value(self, losses: Mapping[str, Loss]) -> Tensor:
        """The objective over the tasks that have positions."""
        raise NotImplementedError

    def scales(self, norms: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """Factors of the tasks' weighted gradients at shared parameters, from the norms of these."""
        return {name: torch.ones_like(norm) for name, norm in norms.items()}

    def remember(self, losses: Mapping[str, Loss]) -> None:
        """Called with the losses of each step once it is done."""

    def state_dict(self) -> dict[str, float]:
        """What the next step depends on; it stands in the checkpoint."""
        return {}

    def load_state_dict(self, state: Mapping[str, float]) -> None:
        """Takes up what `state_dict` left."""

    def cost(self, num_micro_batches: int, num_tasks: int) -> StepCost:
        """Passes and gradient memory of one step, as `lifecode.training.stages.joint_gradient` takes them.

        An objective that balances gradients takes every task through the step alone, and keeps its gradient
        until all are there. One whose weights are not known ahead measures several micro-batches first.
        """
        if self.balances_gradients:
            return pass_per_task(num_micro_batches, num_tasks)._replace(gradient_buffers=num_tasks)
        measured = num_micro_batches if num_micro_batches > 1 and not self.ahead else 0
        return one_pass(num_micro_batches)._replace(forwards_without_gradient=measured)


def log_sum(losses: Mapping[str, Loss], eps: float) -> Tensor:
    """Sum over the tasks that have positions of log(L + eps)."""
    terms = [torch.where(x.count > 0, (x.mean + eps).log(), 0.0) for x in losses.values()]
    return torch.stack(terms).sum()


def log_sum_weights(losses: Mapping[str, Loss], eps: float) -> dict[str, Tensor]:
    """d log-sum / d total of each task: 1 / (total + eps count), 0 for a task without positions."""
    weights = {}
    for name, loss in losses.items():
        denominator = loss.total.detach() + eps * loss.count
        weights[name] = torch.where(loss.count > 0, 1 / denominator.clamp(min=TINY), 0.0)
    return weights
