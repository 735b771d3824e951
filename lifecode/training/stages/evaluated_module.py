"""What a module has of its losses over all steps of a validation or a test, and of a batch to predict."""

from typing import Any

import torch
from lightning import LightningModule
from torch import Tensor

from lifecode.data.batches.steps import Step, micro_batches_of
from lifecode.objectives.loss import Loss
from lifecode.training.stages.step_losses import StepLosses

_VALIDATION_ON_BAR = "masked_codon_cross_entropy"
"""The loss of validation that progress bars show, beside those of the tasks in training."""


class EvaluatedModule(LightningModule):
    """Base of a module that says what its losses are: sums them over steps and processes, and logs them.

    Attributes:
        name: with which the names of its figures begin.
    """

    name: str

    def __init__(self) -> None:
        super().__init__()
        self._evaluated: dict[str, Loss] = {}

    def losses(self, batch: Any) -> StepLosses:
        """The losses of one micro-batch."""
        raise NotImplementedError(f"{type(self).__name__} does not say what its losses are")

    def representation(self, batch: Any) -> Tensor:
        """What the module makes of each codon of a micro-batch (L, width)."""
        raise NotImplementedError(f"{type(self).__name__} does not say what it makes of a codon")

    def forward(self, batch: Any) -> StepLosses:
        """The losses of one micro-batch; the way through which sharded parameters are gathered."""
        return self.losses(batch)

    def full_name(self, split: str, name: str) -> str:
        """What a figure is called in metrics.csv and for every callback and logger."""
        return f"{self.name}/{split}/{name}"

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

    def on_validation_epoch_start(self) -> None:
        """Starts the sums of one validation."""
        self._evaluated = {}

    def validation_step(self, batch: Step | list[Any], batch_idx: int) -> None:
        """Adds the losses of one validation step."""
        self._evaluate(micro_batches_of(batch))

    def on_validation_epoch_end(self) -> None:
        """Logs each loss over all validation steps."""
        self._log_evaluated("validation")

    def on_test_epoch_start(self) -> None:
        """Starts the sums of one test."""
        self._evaluated = {}

    def test_step(self, batch: Step | list[Any], batch_idx: int) -> None:
        """Adds the losses of one test step."""
        self._evaluate(micro_batches_of(batch))

    def on_test_epoch_end(self) -> None:
        """Logs each loss over all test steps."""
        self._log_evaluated("test")

    def predict_step(self, batch: Step | list[Any], batch_idx: int) -> list[Tensor]:
        """`representation` of every micro-batch (L, width), special tokens included, in their order.

        The borders of its segments are the micro-batch's `cu_seqlens`.
        """
        return [self.representation(micro_batch) for micro_batch in micro_batches_of(batch)]

    def _evaluate(self, micro_batches: list[Any]) -> None:
        for batch in micro_batches:
            losses = self(batch)
            for name, loss in {**losses.tasks, **losses.monitors}.items():
                self._evaluated[name] = self._evaluated[name] + loss if name in self._evaluated else loss

    def _log_evaluated(self, split: str) -> None:
        for name, loss in self._summed([self._evaluated]).items() if self._evaluated else ():
            if loss.count > 0:
                on_bar = name == _VALIDATION_ON_BAR
                self.log(self.full_name(split, name), loss.mean, batch_size=1, prog_bar=on_bar)
