"""What both training stages share: one optimizer step on the log-sum of the tasks.

A step is a list of micro-batches. The log-sum weighs each task by its loss over the whole effective
batch, so with several micro-batches a first pass without gradients measures the losses (a third more
work than one pass) and the second one descends. With one micro-batch the two passes are one.
"""

from typing import Any, NamedTuple

import torch
from lightning import Callback, LightningModule
from lightning.pytorch.strategies import ParallelStrategy
from torch import Tensor

from lifecode.data.batch import Batch
from lifecode.objectives.log_sum import LogSum
from lifecode.objectives.loss import Loss
from lifecode.training.non_finite import NonFiniteSteps
from lifecode.training.optimizer import AdamWCosine


class StepLosses(NamedTuple):
    """Losses of one micro-batch.

    Attributes:
        tasks: joined by the log-sum.
        monitors: logged beside them.
    """

    tasks: dict[str, Loss]
    monitors: dict[str, Loss]


class PretrainingStage(LightningModule):
    """Base of the two stages; a stage says what its losses are.

    Args:
        objective: joins the tasks.
        optimizer: its recipe.
    """

    name: str

    def __init__(self, *, objective: LogSum, optimizer: AdamWCosine) -> None:
        super().__init__()
        self.automatic_optimization = False
        self.objective, self.optimizer_recipe = objective, optimizer
        self.non_finite = NonFiniteSteps()
        self.last_figures: dict[str, float] = {}
        self._validation: dict[str, Loss] = {}

    def losses(self, batch: Batch) -> StepLosses:
        """The losses of one micro-batch."""
        raise NotImplementedError(f"{type(self).__name__} does not say what its losses are")

    def before_step(self, micro_batches: list[Batch]) -> None:
        """Called with the whole step before any loss is computed."""

    def configure_optimizers(self) -> Any:
        """AdamW over the trainable parameters, and its schedule."""
        optimizer, schedule = self.optimizer_recipe.build(self)
        return {"optimizer": optimizer, "lr_scheduler": schedule}

    def configure_callbacks(self) -> list[Callback]:
        """What is saved beside the weights: how many steps were skipped."""
        return [self.non_finite]

    def training_step(self, micro_batches: list[Batch], batch_idx: int) -> None:
        """One optimizer step, without effect if a loss or the gradient is not finite."""
        self.non_finite.before(self)
        self.before_step(micro_batches)
        optimizer = self.optimizers()
        optimizer.zero_grad()  # pyright: ignore[reportAttributeAccessIssue]
        losses = self._backward(micro_batches)
        norm = torch.nn.utils.clip_grad_norm_(
            [p for p in self.parameters() if p.grad is not None], self.optimizer_recipe.clip_norm
        )
        skipped = self.non_finite.skips(self, losses.tasks, norm)
        optimizer.step()  # pyright: ignore[reportAttributeAccessIssue]
        schedule = self.lr_schedulers()
        learning_rate = schedule.get_last_lr()[0]  # pyright: ignore
        schedule.step()  # pyright: ignore
        if skipped:
            self.record(learning_rate=learning_rate)
            return
        present = {n: x.mean for n, x in {**losses.tasks, **losses.monitors}.items() if x.count > 0}
        self.record(
            objective=self.objective.value(losses.tasks),
            gradient_norm=norm,
            learning_rate=learning_rate,
            **present,
        )

    def record(self, **figures: Tensor | float) -> None:
        """Hands the figures of the step just taken to the loggers, if it is one of those that are logged.

        `LightningModule.log` would repeat the last value of a task that this step does not have.
        """
        self.last_figures = {**self.last_figures, **{name: float(value) for name, value in figures.items()}}
        if self.global_step % self.trainer.log_every_n_steps == 0:  # pyright: ignore[reportAttributeAccessIssue]
            for logger in self.loggers:
                logger.log_metrics(
                    {f"train/{name}": float(value) for name, value in figures.items()}, self.global_step - 1
                )

    def _backward(self, micro_batches: list[Batch]) -> StepLosses:
        """Adds the gradient of the log-sum over the effective batch; returns the losses over all of it."""
        if len(micro_batches) == 1:
            own = self.losses(micro_batches[0])
            whole = self._over_processes([own])
            self._descend(own.tasks, self.objective.weights(whole.tasks))
            return whole
        with torch.no_grad():
            whole = self._over_processes([self.losses(batch) for batch in micro_batches])
        weights = self.objective.weights(whole.tasks)
        for index, batch in enumerate(micro_batches):
            strategy = self.trainer.strategy
            if index < len(micro_batches) - 1 and isinstance(strategy, ParallelStrategy):
                with strategy.block_backward_sync():
                    self._descend(self.losses(batch).tasks, weights)
            else:
                self._descend(self.losses(batch).tasks, weights)
        return whole

    def _descend(self, tasks: dict[str, Loss], weights: dict[str, Tensor]) -> None:
        # Gradients are averaged over processes afterwards, while the log-sum wants their sum.
        terms = [weights[name] * loss.total for name, loss in tasks.items()]
        self.manual_backward(torch.stack(terms).sum() * self.trainer.world_size)

    def _over_processes(self, losses: list[StepLosses]) -> StepLosses:
        """The losses of all micro-batches of all processes, detached."""
        return StepLosses(
            self._summed([step.tasks for step in losses]), self._summed([step.monitors for step in losses])
        )

    def _summed(self, losses: list[dict[str, Loss]]) -> dict[str, Loss]:
        names = list(losses[0])
        sums = [
            torch.stack([torch.stack([x[name].total.detach(), x[name].count]) for x in losses]).sum(0)
            for name in names
        ]
        if not names:
            return {}
        table = self.over_processes(torch.stack(sums))
        return {name: Loss(*row) for name, row in zip(names, table, strict=True)}

    def over_processes(self, values: Tensor) -> Tensor:
        """The sum of a tensor over all processes."""
        return (
            self.trainer.strategy.reduce(values, reduce_op="sum") if self.trainer.world_size > 1 else values
        )  # pyright: ignore

    def on_validation_epoch_start(self) -> None:
        """Starts the sums of one validation."""
        self._validation = {}

    def validation_step(self, micro_batches: list[Batch], batch_idx: int) -> None:
        """Adds the losses of one validation step."""
        for batch in micro_batches:
            losses = self.losses(batch)
            for name, loss in {**losses.tasks, **losses.monitors}.items():
                self._validation[name] = self._validation[name] + loss if name in self._validation else loss

    def on_validation_epoch_end(self) -> None:
        """Logs each loss over all validation steps."""
        for name, loss in self._summed([self._validation]).items() if self._validation else ():
            if loss.count > 0:
                self.log(f"validation/{name}", loss.mean)
