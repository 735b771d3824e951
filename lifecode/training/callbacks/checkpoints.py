"""When a stage is saved: every so many steps, at its end, and when it is asked to stop.

A step that is due for both is validated first and saved then, so that a run that is killed in between
validates again: metrics.csv of a run with kills is that of a run without. Lightning's `ModelCheckpoint` saves
such a step first; it keeps and deletes by a list in its own state, which a kill leaves behind what is on the
disk; and it does not stop a run.
"""

import math
import signal
from pathlib import Path
from types import FrameType
from typing import Any, NoReturn

from lightning import LightningModule, Trainer
from lightning.pytorch.callbacks import Checkpoint
from lightning.pytorch.trainer.states import TrainerFn

from lifecode.errors import Interrupted, UserError
from lifecode.host.stop_signals import take_over
from lifecode.training.run.checkpoint_file import STOPPED_EARLY, checkpoint_path, keep_checkpoints
from lifecode.training.run.metrics_csv import MetricsCsv

_VALIDATION_PROGRESS = "epoch_loop.val_loop.batch_progress"


class Checkpoints(Checkpoint):
    """Saves the newest checkpoints, and ends the run after the current step when asked to.

    It is one of Lightning's checkpoint callbacks, which come last: what it saves holds the state of all
    others. A trainer needs the plugin `DurableCheckpointIO` to write the checksums without which
    `lifecode.training.run.checkpoint_file.latest_checkpoint` passes a checkpoint by.

    The first Ctrl-C (or SIGTERM, as a cluster sends before it kills, or SIGHUP) ends the step, of training or
    of validation, saves and stops; a second one stops at once, and the run goes on from the last checkpoint.
    A validation that was cut short is done again by the next sitting; only the one after a stage's last step
    is finished first. Of several processes it is enough that one is asked.

    Args:
        folder: of the stage's checkpoints.
        every_steps: steps between checkpoints.
        keep: how many of the newest stay, at least 2: with one alone, nothing is left once it is damaged.

    Raises:
        UserError: `keep` is below 2.
    """

    def __init__(self, folder: Path, *, every_steps: int, keep: int = 2) -> None:
        require_several(keep)
        self.folder, self.every_steps, self.keep = folder, every_steps, keep
        self.stop_requested = False
        self._first_step = 0
        self._validation_is_cut_short = False

    def on_train_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Takes over the signals that ask for an end; Lightning gives them back, whatever happens."""
        self._first_step = trainer.global_step
        take_over(self._request_stop)

    def on_train_batch_end(
        self, trainer: Trainer, pl_module: LightningModule, outputs: Any, batch: Any, batch_idx: int
    ) -> None:
        """Saves when a checkpoint is due, or stops, unless the step is to be validated first."""
        if not _is_validated_next(trainer):
            self._save_or_stop(trainer)

    def on_validation_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Stops before a validation, as `on_validation_batch_end` does within."""
        self._stop_in_validation(trainer)

    def on_validation_batch_end(
        self,
        trainer: Trainer,
        pl_module: LightningModule,
        outputs: Any,
        batch: Any,
        batch_idx: int,
        dataloader_idx: int = 0,
    ) -> None:
        """Stops within a validation, if there is training left to go on with."""
        self._stop_in_validation(trainer)

    def on_validation_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Saves when a checkpoint is due, or stops."""
        if _trains(trainer):
            self._save_or_stop(trainer)

    def on_save_checkpoint(
        self, trainer: Trainer, pl_module: LightningModule, checkpoint: dict[str, Any]
    ) -> None:
        """Notes that a callback has ended the stage.

        Of a validation that is cut short, Lightning shall think that it was at its first step.
        """
        if _ends_early(trainer):
            checkpoint[STOPPED_EARLY] = True
        if self._validation_is_cut_short:
            progress = checkpoint["loops"]["fit_loop"][_VALIDATION_PROGRESS]
            for part in ("total", "current"):
                progress[part] |= {"ready": 1, "started": 1, "processed": 0, "completed": 0}
            progress["is_last_batch"] = False

    def save(self, trainer: Trainer) -> None:
        """Writes the checkpoint of the current step, then deletes those too many.

        The one that this sitting began with, which can be due again after its validation, is left alone.
        """
        if trainer.global_step == self._first_step or getattr(trainer, "fast_dev_run", False):
            return
        for logger in trainer.loggers:
            if isinstance(logger, MetricsCsv):
                logger.force_to_disk()
        trainer.save_checkpoint(checkpoint_path(self.folder, trainer.global_step))
        if trainer.is_global_zero:
            keep_checkpoints(self.folder, up_to=trainer.global_step, number=self.keep)

    def _save_or_stop(self, trainer: Trainer) -> None:
        step = trainer.global_step
        stops = self._is_to_stop(trainer)
        if stops or step % self.every_steps == 0 or step == trainer.max_steps or _ends_early(trainer):
            self.save(trainer)
        if stops:
            _stop(trainer)

    def _stop_in_validation(self, trainer: Trainer) -> None:
        if _trains(trainer) and trainer.global_step != trainer.max_steps and self._is_to_stop(trainer):
            self._validation_is_cut_short = True
            self.save(trainer)
            _stop(trainer)

    def _is_to_stop(self, trainer: Trainer) -> bool:
        """Whether any of the processes was asked to."""
        return trainer.strategy.reduce_boolean_decision(self.stop_requested, all=False)

    def _request_stop(self, number: int, frame: FrameType | None) -> None:
        if self.stop_requested and number in (signal.SIGINT, signal.SIGTERM):  # a shell repeats SIGHUP
            raise KeyboardInterrupt
        self.stop_requested = True


def require_several(keep: int) -> None:
    """Of the number of checkpoints that are kept.

    Raises:
        UserError: it is below 2.
    """
    if keep < 2:
        raise UserError(
            f"is {keep}, and one checkpoint alone leaves nothing once it is damaged",
            source="trainer.keep_checkpoints",
            remedy="Keep at least 2",
        )


def _trains(trainer: Trainer) -> bool:
    """Whether a validation is one of training."""
    return trainer.state.fn == TrainerFn.FITTING and not trainer.sanity_checking


def _ends_early(trainer: Trainer) -> bool:
    """Whether a callback has ended the training."""
    return trainer.should_stop and trainer.global_step >= (trainer.min_steps or 0)


def _is_validated_next(trainer: Trainer) -> bool:
    """Whether Lightning validates after the step just taken: when that is due, or a callback has ended it."""
    batches, every = trainer.fit_loop.total_batch_idx + 1, trainer.val_check_batch or math.inf
    return (batches % every == 0 or _ends_early(trainer)) and sum(trainer.num_val_batches) > 0


def _stop(trainer: Trainer) -> NoReturn:
    stage = getattr(trainer.lightning_module, "name", "")
    raise Interrupted(
        f"stopped after step {trainer.global_step} of {trainer.max_steps} ({stage}); "
        "the same command goes on from there"
    )
