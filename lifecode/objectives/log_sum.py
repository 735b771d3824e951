"""The log-sum that joins the tasks (Life-Code Eq. 5): sum over tasks of log(L + eps).

Its gradient is each task's gradient divided by (L + eps), where L is the task's mean over the whole
effective batch. The weights therefore come from totals and counts of all micro-batches and processes,
and the step does not depend on how the batch was split.
"""

from collections.abc import Mapping

import torch
from torch import Tensor

from lifecode.errors import UserError
from lifecode.objectives.cost import StepCost, one_pass
from lifecode.objectives.loss import Loss


class LogSum:
    """Weights of the tasks' totals whose weighted sum has the gradient of the log-sum.

    Args:
        eps: keeps a task near zero from taking over.
    """

    def __init__(self, eps: float = 1e-3) -> None:
        if eps <= 0:
            raise UserError(
                f"eps {eps} is not positive", source="objective.eps", remedy="1e-3 is the default"
            )
        self.eps = eps

    def weights(self, losses: Mapping[str, Loss]) -> dict[str, Tensor]:
        """d log-sum / d total of each task: 1 / (total + eps count), 0 for a task without positions."""
        weights = {}
        for name, loss in losses.items():
            denominator = loss.total.detach() + self.eps * loss.count
            weights[name] = torch.where(loss.count > 0, 1 / denominator.clamp(min=1e-30), 0.0)
        return weights

    def value(self, losses: Mapping[str, Loss]) -> Tensor:
        """The log-sum itself, over the tasks that have positions."""
        terms = [torch.where(x.count > 0, (x.mean + self.eps).log(), 0.0) for x in losses.values()]
        return torch.stack(terms).sum()

    def cost(self, num_micro_batches: int, num_tasks: int) -> StepCost:
        """With several micro-batches, a first pass without gradient measures the losses."""
        descent = one_pass(num_micro_batches)
        measuring = num_micro_batches if num_micro_batches > 1 else 0
        return descent._replace(forwards_without_gradient=measuring)
