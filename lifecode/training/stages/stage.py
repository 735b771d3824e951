"""What all training stages share: one optimizer step on the joint objective of the tasks.

A step is a list of micro-batches; `lifecode.training.stages.joint_gradient` makes one gradient of them.
"""

import copy
import logging
from collections.abc import Mapping
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import Any, Self

import torch
from lightning import Callback
from lightning.pytorch.strategies import ParallelStrategy
from torch import Tensor, nn

from lifecode.data.batches.row_contents import Contents, batch_contents
from lifecode.data.batches.steps import Step, micro_batches_of
from lifecode.errors import UserError
from lifecode.evaluation.metrics import NUCLEOTIDES_PER_SECOND, Metric
from lifecode.models.layers.cost import Part
from lifecode.objectives.joint import JointObjective
from lifecode.objectives.masked_modelling import Positions
from lifecode.ops.compile_boundary import compile_boundary
from lifecode.training.run.checkpoint_file import read_hyperparameters
from lifecode.training.sharding import shard
from lifecode.training.stages.evaluated_module import EvaluatedModule
from lifecode.training.stages.hyperparameters import as_plain_data, from_plain_data
from lifecode.training.stages.joint_gradient import accumulate_joint_gradient, plain, task_gradient_norms
from lifecode.training.stages.non_finite import NonFiniteSteps
from lifecode.training.stages.optimizer import OptimizerRecipe
from lifecode.training.stages.step_log import log_step

logger = logging.getLogger(__name__)


class PretrainingStage(EvaluatedModule):
    """Base of every stage; a stage says what its losses are.

    Under any Lightning `Trainer` its batches are the steps of a
    `lifecode.data.batches.step_module.StepDataModule`: lists of micro-batches. It logs `name/train/...`,
    `name/validation/...` and `name/test/...`.

    Args:
        objective: joins the tasks; the stage takes a copy, as the objective may keep what it saw.
        optimizer: its recipe.
        task_gradients_every_steps: steps between logs of each task's gradient norm, which take every task
            through the step once more; 0 for never. An objective that balances gradients logs them anyway.
    """

    positions: Positions
    """Those that masked modelling reads."""
    number: int
    """Of the stage in a run."""
    speed: Metric = NUCLEOTIDES_PER_SECOND
    """What its speed is counted in."""

    def __init__(
        self, *, objective: JointObjective, optimizer: OptimizerRecipe, task_gradients_every_steps: int = 0
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
        self.non_finite = NonFiniteSteps(self.name)

    @classmethod
    def load_from_checkpoint(  # pyright: ignore[reportIncompatibleMethodOverride]
        cls, checkpoint_path: str | Path, map_location: Any = None, *, strict: bool = True, **given: Any
    ) -> Self:
        """A stage as it was saved, made from its checkpoint alone; no code in the file is run.

        Args:
            checkpoint_path: file that a run, or any `Trainer`, saved of such a stage.
            map_location: device of the weights, as in `torch.load`.
            strict: refuse weights that are missing or unexpected.
            given: arguments of the stage that take the place of those in the checkpoint, such as an objective
                of your own.

        Raises:
            UserError: the file cannot be loaded, or is none of such a stage.
        """
        path = Path(checkpoint_path)
        hyperparameters = read_hyperparameters(path, cls.name)
        own = from_plain_data({key: value for key, value in hyperparameters.items() if key not in given})
        return super().load_from_checkpoint(path, map_location, None, strict, True, **own, **given)

    def keep_hyperparameters(self, **arguments: Any) -> None:
        """Notes what the stage is made with, as plain data in `hparams` and in every checkpoint."""
        self.save_hyperparameters({"stage": self.name, **as_plain_data(arguments)}, logger=False)

    @property
    def tasks(self) -> list[str]:
        """Names of the losses that the objective joins."""
        raise NotImplementedError(f"{type(self).__name__} does not say what its tasks are")

    @property
    def monitors(self) -> list[str]:
        """Names of the losses that are logged beside them."""
        raise NotImplementedError(f"{type(self).__name__} does not say what it logs beside its tasks")

    def counts(self, batch: Any) -> dict[str, Tensor]:
        """Positions of each task in one micro-batch, as `losses` counts them, without any forward pass."""
        raise NotImplementedError(f"{type(self).__name__} does not say what its tasks count")

    def shared_parameters(self) -> list[nn.Parameter]:
        """Trainable parameters that every task reaches."""
        raise NotImplementedError(f"{type(self).__name__} does not say what its tasks share")

    def contents(self, batch: Any) -> Contents:
        """What one micro-batch holds."""
        return batch_contents(batch)

    def sequence_length(self, batch: Any) -> int:
        """How much sequence one micro-batch holds, in the units of `speed`."""
        return batch.num_nucleotides

    def parts(self, contents: Any, masking: Any) -> list[Part]:
        """The parts of the model with what each reads, for plans and `mfu`.

        Args:
            contents: of all rows that pass through the model together.
            masking: how much of them is read by the head of masked modelling.
        """
        raise NotImplementedError(f"{type(self).__name__} does not say what its parts read")

    def before_step(self, micro_batches: list[Any]) -> None:
        """Called with the whole step before any loss is computed."""

    def configure_model(self) -> None:
        """Shards the parameters if the strategy is one that does."""
        if self.device_mesh is not None:
            bf16 = self.trainer.precision == "bf16-mixed"
            shard(self, self.device_mesh["data_parallel"], bf16=bf16)

    def configure_optimizers(self) -> Any:
        """The optimizer of the trainable parameters, and its schedule."""
        optimizer, schedule = self.optimizer_recipe.build(self)
        return {"optimizer": optimizer, "lr_scheduler": {"scheduler": schedule, "interval": "step"}}

    def configure_callbacks(self) -> list[Callback]:
        """What is saved beside the weights: how many steps were skipped."""
        return [self.non_finite]

    def on_fit_start(self) -> None:
        """Refuses an objective that weighs none of the tasks, or others than these, before any step."""
        self.objective.require_weight(self.tasks)
        if getattr(self, "_compiler_ctx", None):  # Lightning's note on torch.compile(stage)
            logger.warning(
                "torch.compile of a stage compiles nothing of its training steps. Compile its blocks: "
                "trainer.compile of lifecode train, or block.compile() of each"
            )

    @compile_boundary  # it goes backward itself, through kernels that no compiler reads
    def training_step(self, batch: Step | list[Any], batch_idx: int) -> None:
        """One optimizer step, without effect if a loss or the gradient is not finite."""
        micro_batches = micro_batches_of(batch)
        self.non_finite.keep_buffers(self)
        self.before_step(micro_batches)
        optimizer = self.optimizers()
        optimizer.zero_grad()  # pyright: ignore[reportAttributeAccessIssue]
        norms = task_gradient_norms(self, micro_batches) if self._looks_at_task_gradients() else {}
        losses, weights, own_norms = accumulate_joint_gradient(self, micro_batches)
        norm = torch.nn.utils.clip_grad_norm_(
            [p for p in self.parameters() if p.grad is not None], self.optimizer_recipe.clip_norm
        )
        skipped = self.non_finite.skip_if_not_finite(self, losses.tasks, plain(norm))
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
        self._log({f"gradient_norm_{name}": norm for name, norm in norms.items()}, to_loggers=True)
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
        """Logs figures of the step just taken; loggers get them if it is one of those that are logged."""
        self._log(figures, to_loggers=self.is_logged)

    @property
    def is_logged(self) -> bool:
        """Whether the step just taken is one of those that are logged."""
        every = self.trainer.log_every_n_steps  # pyright: ignore[reportAttributeAccessIssue]
        return every > 0 and self.global_step % every == 0

    def _log(self, figures: Mapping[str, Tensor | float], *, to_loggers: bool) -> None:
        log_step(
            self,
            {self.full_name("train", name): value for name, value in figures.items()},
            step=self.global_step - 1,
            to_loggers=to_loggers,
            on_bar=[self.full_name("train", name) for name in self.tasks],
        )

    def counts_over_processes(self, micro_batches: list[Any]) -> dict[str, Tensor]:
        """Positions of each task in the whole effective batch."""
        counts = [self.counts(batch) for batch in micro_batches]
        table = self.over_processes(torch.stack([torch.stack(list(x.values())) for x in counts]).sum(0))
        return dict(zip(counts[0], table.float().unbind(), strict=True))

    def without_gradient_sync(self) -> AbstractContextManager[None]:
        """Gradients stay on their process inside, to be summed with those of a later micro-batch."""
        strategy = self.trainer.strategy
        return strategy.block_backward_sync() if isinstance(strategy, ParallelStrategy) else nullcontext()
