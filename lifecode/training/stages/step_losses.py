"""The losses of a step by task, and what a module offers to be trained on all of them together."""

from collections.abc import Iterator
from contextlib import AbstractContextManager
from typing import Any, NamedTuple, Protocol

from torch import Tensor, nn

from lifecode.objectives.joint import JointObjective
from lifecode.objectives.loss import Loss


class StepLosses(NamedTuple):
    """Losses of one micro-batch.

    Attributes:
        tasks: joined by the objective.
        monitors: logged beside them.
    """

    tasks: dict[str, Loss]
    monitors: dict[str, Loss]

    def detached(self) -> "StepLosses":
        """The same without the graph behind them."""
        return StepLosses(*({name: Loss(x.total.detach(), x.count) for name, x in of.items()} for of in self))


class JointlyTrained(Protocol):
    """A module under a trainer that is trained on several tasks at once.

    Attributes:
        objective: joins the tasks.
    """

    objective: JointObjective

    @property
    def trainer(self) -> Any:
        """Lightning's."""
        ...

    def __call__(self, batch: Any) -> StepLosses:
        """The losses of one micro-batch."""
        ...

    def parameters(self) -> Iterator[nn.Parameter]:
        """All of them."""
        ...

    def shared_parameters(self) -> list[nn.Parameter]:
        """Trainable parameters that every task reaches."""
        ...

    def counts_over_processes(self, micro_batches: list[Any]) -> dict[str, Tensor]:
        """Positions of each task in the whole effective batch."""
        ...

    def over_all(self, losses: list[StepLosses]) -> StepLosses:
        """The losses of all micro-batches of all processes, detached."""
        ...

    def without_gradient_sync(self) -> AbstractContextManager[None]:
        """Gradients stay on their process inside."""
        ...

    def manual_backward(self, loss: Tensor) -> None:
        """Adds the gradients of a loss to those that are there."""
        ...
