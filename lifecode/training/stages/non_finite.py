"""A step whose loss or gradient is NaN or infinite has no effect and is counted; three in a row end the run.

The optimizer steps all the same, over parameters whose gradient is None: torch's optimizers pass those by,
with their decay, moments and counters, while the schedule, the stream of batches, Lightning's count of steps
and the names of the checkpoints go on as if nothing had happened. So what resumes, and when a stage ends, do
not depend on how many steps were skipped.

The price of not looking ahead: a forward and a backward pass for nothing, and a copy of the buffers per
step, which are the teacher's centre and scale.
"""

import logging
import math
from collections.abc import Mapping
from typing import Any

from lightning import Callback, LightningModule, Trainer
from torch import Tensor

from lifecode.errors import UserError
from lifecode.objectives.loss import Loss
from lifecode.training.stages.step_log import log_step

logger = logging.getLogger(__name__)
_MOST_IN_A_ROW = 3


class NonFiniteSteps(Callback):
    """Skips the steps that are not finite and counts them; a checkpoint holds the counts.

    Every process skips the same, if it looks at losses over all of them and at the norm of their gradient.

    Args:
        stage_name: which logs and warnings begin with.

    Attributes:
        skipped: steps of the stage, over all sittings.
        in_a_row: of these, the last ones without another step between them.
    """

    def __init__(self, stage_name: str) -> None:
        self.stage_name = stage_name
        self.skipped = self.in_a_row = 0
        self._buffers: list[Tensor] = []

    def keep_buffers(self, stage: LightningModule) -> None:
        """Notes the buffers of a stage before its step changes them."""
        self._buffers = [buffer.clone() for buffer in stage.buffers()]

    def skip_if_not_finite(self, stage: LightningModule, losses: Mapping[str, Loss], norm: Tensor) -> bool:
        """Takes a step back that is not finite: drops its gradients, puts back the buffers, counts and logs.

        Args:
            stage: between its backward passes and the optimizer's step.
            losses: of the tasks, over all micro-batches and processes.
            norm: of the gradient, before clipping.

        Returns:
            Whether the step was taken back.

        Raises:
            UserError: it is the third in a row.
        """
        found = {f"the loss of {name}": float(loss.total) for name, loss in losses.items()}
        found["the gradient's norm"] = float(norm)
        wrong = [f"{name} is {value}" for name, value in found.items() if not math.isfinite(value)]
        if not wrong:
            self.in_a_row = 0
            return False
        stage.zero_grad(set_to_none=True)
        for buffer, before in zip(stage.buffers(), self._buffers, strict=True):
            buffer.copy_(before)
        self.skipped, self.in_a_row = self.skipped + 1, self.in_a_row + 1
        self._tell(stage, " and ".join(wrong))
        return True

    def state_dict(self) -> dict[str, int]:
        """The counts."""
        return {"skipped": self.skipped, "in_a_row": self.in_a_row}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Goes on counting."""
        self.skipped, self.in_a_row = state_dict["skipped"], state_dict["in_a_row"]

    def _tell(self, stage: LightningModule, wrong: str) -> None:
        step, trainer = stage.global_step, stage.trainer
        assert isinstance(trainer, Trainer)
        log_step(stage, {f"{self.stage_name}/train/skipped_steps": float(self.skipped)}, step=step)
        if self.in_a_row >= _MOST_IN_A_ROW:
            raise UserError(
                f"{wrong} at step {step}, the {self.in_a_row}rd step in a row that is not finite",
                source=self.stage_name,
                remedy="The last checkpoint is finite. Begin another run with a lower learning rate; "
                "trainer.check_finite=true says in which operation the first NaN appears",
            )
        if trainer.is_global_zero:
            logger.warning(
                "%s: step %d is skipped, as %s (%d skipped so far)",
                self.stage_name,
                step,
                wrong,
                self.skipped,
            )
