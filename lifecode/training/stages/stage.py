"""What both training stages share: one optimizer step on the joint objective of the tasks.

A step is a list of micro-batches; `lifecode.training.stages.joint_gradient` makes one gradient of them.
"""

import copy
from collections.abc import Mapping
from contextlib import AbstractContextManager, nullcontext
from typing import Any, NamedTuple

import torch
from lightning import Callback, LightningModule
from lightning.pytorch.strategies import ParallelStrategy
from torch import Tensor, nn

from lifecode.data.batches.batch import Batch
from lifecode.data.batches.masking import Masking
from lifecode.data.batches.row_contents import RowContents
from lifecode.errors import UserError
from lifecode.models.layers.cost import Part
from lifecode.objectives.joint import JointObjective
from lifecode.objectives.loss import Loss
from lifecode.objectives.masked_modelling import Positions
from lifecode.training.sharding import shard
from lifecode.training.stages.joint_gradient import accumulate_joint_gradient, plain, task_gradient_norms
from lifecode.training.stages.non_finite import NonFiniteSteps
from lifecode.training.stages.optimizer import AdamWCosine


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


class PretrainingStage(LightningModule):
    """Base of the two stages; a stage says what its losses are.

    Args:
        objective: joins the tasks; the stage takes a copy, as the objective may keep what it saw.
        optimizer: its recipe.
        task_gradients_every_steps: steps between logs of each task's gradient norm, which take every task
            through the step once more; 0 for never. An objective that balances gradients logs them anyway.
    """

    name: str
    positions: Positions
    """Those that masked modelling reads."""
    number: int
    """Of the stage in a run."""

    def __init__(
        self, *, objective: JointObjective, optimizer: AdamWCosine, task_gradients_every_steps: int = 0
    ) -> None:
        super().__init__()
        if task_gradients_every_steps < 0:
            raise UserError(
                f"is {task_gradients_every_steps}",
                source="objective.task_gradients_every_steps",
                remedy="Give a number of steps, or 0 for never",
            )
        self.automatic_optimization = False
        self.objective, self.optimizer_recipe = copy.deepcopy(objective), optimizer
        self.task_gradients_every_steps = task_gradients_every_steps
        self.non_finite = NonFiniteSteps()
        self.last_figures: dict[str, float] = {}
        self._validation: dict[str, Loss] = {}

    def losses(self, batch: Batch) -> StepLosses:
        """The losses of one micro-batch."""
        raise NotImplementedError(f"{type(self).__name__} does not say what its losses are")

    @property
    def tasks(self) -> list[str]:
        """Names of the losses that the objective joins."""
        raise NotImplementedError(f"{type(self).__name__} does not say what its tasks are")

    def counts(self, batch: Batch) -> dict[str, Tensor]:
        """Positions of each task in one micro-batch, as `losses` counts them, without any forward pass."""
        raise NotImplementedError(f"{type(self).__name__} does not say what its tasks count")

    def shared_parameters(self) -> list[nn.Parameter]:
        """Trainable parameters that every task reaches."""
        raise NotImplementedError(f"{type(self).__name__} does not say what its tasks share")

    def parts(self, contents: RowContents, masking: Masking) -> list[Part]:
        """The parts of the model with what each reads, for plans and `mfu`.

        Args:
            contents: of all rows that pass through the model together.
            masking: how many codons a codon head reads.
        """
        raise NotImplementedError(f"{type(self).__name__} does not say what its parts read")

    def forward(self, batch: Batch) -> StepLosses:
        """The losses of one micro-batch; the way through which sharded parameters are gathered."""
        return self.losses(batch)

    def before_step(self, micro_batches: list[Batch]) -> None:
        """Called with the whole step before any loss is computed."""

    def configure_model(self) -> None:
        """Shards the parameters if the strategy is one that does."""
        if self.device_mesh is not None:
            bf16 = self.trainer.precision == "bf16-mixed"
            shard(self, self.device_mesh["data_parallel"], bf16=bf16)

    def configure_optimizers(self) -> Any:
        """The optimizer of the trainable parameters, and its schedule."""
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
        norms = task_gradient_norms(self, micro_batches) if self._looks_at_task_gradients() else {}
        losses, weights, own_norms = accumulate_joint_gradient(self, micro_batches)
        norm = torch.nn.utils.clip_grad_norm_(
            [p for p in self.parameters() if p.grad is not None], self.optimizer_recipe.clip_norm
        )
        skipped = self.non_finite.skips(self, losses.tasks, plain(norm))
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
            gradient_norm=plain(norm),
            learning_rate=learning_rate,
            **present,
            **{f"weight_{name}": weight for name, weight in weights.items() if name in present},
            **{f"gradient_norm_{name}": norm for name, norm in own_norms.items()},
        )
        self._log({f"gradient_norm_{name}": norm for name, norm in norms.items()})
        self.objective.remember(losses.tasks)

    def on_save_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Keeps what the objective remembers."""
        if state := self.objective.state_dict():
            checkpoint["objective"] = state

    def on_load_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Takes up what the objective remembered."""
        self.objective.load_state_dict(checkpoint.get("objective", {}))

    def _looks_at_task_gradients(self) -> bool:
        every = self.task_gradients_every_steps
        due = every > 0 and (self.global_step + 1) % every == 0
        return due and not self.objective.balances_gradients

    def record(self, **figures: Tensor | float) -> None:
        """Hands figures of the step just taken to the loggers, if it is one of those that are logged.

        `LightningModule.log` would repeat the last value of a task that this step does not have.
        """
        self.last_figures = {**self.last_figures, **{name: float(value) for name, value in figures.items()}}
        if self.is_logged:
            self._log(figures)

    @property
    def is_logged(self) -> bool:
        """Whether the step just taken is one of those that are logged."""
        return self.global_step % self.trainer.log_every_n_steps == 0  # pyright: ignore[reportAttributeAccessIssue]

    def _log(self, figures: Mapping[str, Tensor | float]) -> None:
        for logger in self.loggers if figures else ():
            logger.log_metrics(
                {f"{self.name}/train/{name}": float(value) for name, value in figures.items()},
                self.global_step - 1,
            )

    def counts_over_processes(self, micro_batches: list[Batch]) -> dict[str, Tensor]:
        """Positions of each task in the whole effective batch."""
        counts = [self.counts(batch) for batch in micro_batches]
        table = self.over_processes(torch.stack([torch.stack(list(x.values())) for x in counts]).sum(0))
        return dict(zip(counts[0], table.float().unbind(), strict=True))

    def over_all(self, losses: list[StepLosses]) -> StepLosses:
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

    def without_gradient_sync(self) -> AbstractContextManager[None]:
        """Gradients stay on their process inside, to be summed with those of a later micro-batch."""
        strategy = self.trainer.strategy
        return strategy.block_backward_sync() if isinstance(strategy, ParallelStrategy) else nullcontext()

    def on_validation_epoch_start(self) -> None:
        """Starts the sums of one validation."""
        self._validation = {}

    def validation_step(self, micro_batches: list[Batch], batch_idx: int) -> None:
        """Adds the losses of one validation step."""
        for batch in micro_batches:
            losses = self(batch)
            for name, loss in {**losses.tasks, **losses.monitors}.items():
                self._validation[name] = self._validation[name] + loss if name in self._validation else loss

    def on_validation_epoch_end(self) -> None:
        """Logs each loss over all validation steps."""
        for name, loss in self._summed([self._validation]).items() if self._validation else ():
            if loss.count > 0:
                self.log(f"{self.name}/validation/{name}", loss.mean)
