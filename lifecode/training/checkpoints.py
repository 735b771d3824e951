"""Checkpoints of a stage: written every so many steps and when the run is asked to stop."""

import signal
from collections.abc import Callable
from pathlib import Path
from types import FrameType
from typing import Any

import torch
from lightning import Callback, LightningModule, Trainer

from lifecode.errors import UserError

NUM_KEPT = 2
"""Checkpoints of a stage that stay, the newest ones."""
_PATTERN = "step=*.ckpt"
Handler = Callable[[int, FrameType | None], Any] | int | None


def checkpoint_path(folder: Path, step: int) -> Path:
    """Where the checkpoint after `step` optimizer steps lies."""
    return folder / f"step={step:07d}.ckpt"


def checkpoint_step(path: Path) -> int:
    """The number of optimizer steps a checkpoint holds."""
    return int(path.stem.removeprefix("step="))


def latest_checkpoint(folder: Path) -> Path | None:
    """The checkpoint of most steps in a folder, or None."""
    return max(folder.glob(_PATTERN), key=checkpoint_step, default=None)


def load_module_state(module: LightningModule, path: Path) -> None:
    """Loads the weights and buffers of a checkpoint into a module, without running any code from it."""
    try:
        state = torch.load(path, map_location="cpu", weights_only=True, mmap=True)["state_dict"]
        module.load_state_dict(state)
    except (RuntimeError, KeyError, ValueError, EOFError) as error:
        reason = " ".join(str(error).split())[:160]
        raise UserError(
            f"the checkpoint does not fit the model ({reason})",
            source=path,
            remedy="Delete the run folder to start again, or restore the configuration it was made with",
        ) from error


class Checkpoints(Callback):
    """Saves the newest checkpoints and stops the run after the current step when asked to.

    The first Ctrl-C (or SIGTERM, as a cluster sends before it kills) ends the step, saves and stops; a
    second one stops at once, and the run goes on from the last checkpoint.

    Args:
        folder: of the stage's checkpoints.
        every_steps: optimizer steps between checkpoints.
        keep: how many of the newest stay.
    """

    def __init__(self, folder: Path, *, every_steps: int, keep: int = NUM_KEPT) -> None:
        self.folder, self.every_steps, self.keep = folder, every_steps, keep
        self.stop_requested = False
        self._previous: dict[int, Handler] = {}

    def on_train_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Takes over the two signals that ask for an end."""
        for number in (signal.SIGINT, signal.SIGTERM):
            self._previous[number] = signal.signal(number, self._request_stop)

    def on_train_batch_end(
        self, trainer: Trainer, pl_module: LightningModule, outputs: Any, batch: Any, batch_idx: int
    ) -> None:
        """Saves when a checkpoint is due, at the last step, and before a requested stop."""
        step = trainer.global_step
        # A signal reaches the processes at different steps; they stop together.
        self.stop_requested = trainer.strategy.reduce_boolean_decision(self.stop_requested, all=False)
        if self.stop_requested or step % self.every_steps == 0 or step == trainer.max_steps:
            self.save(trainer)
        if self.stop_requested:
            trainer.should_stop = True

    def save(self, trainer: Trainer) -> None:
        """Writes the checkpoint of the current step, then deletes those too many; called on all processes."""
        path = checkpoint_path(self.folder, trainer.global_step)
        if not trainer.strategy.broadcast(path.exists()):
            trainer.save_checkpoint(path)
        if not trainer.is_global_zero:
            return
        for old in sorted(self.folder.glob(_PATTERN), key=checkpoint_step)[: -self.keep]:
            old.unlink()

    def teardown(self, trainer: Trainer, pl_module: LightningModule, stage: str) -> None:
        """Gives the signals back."""
        for number, handler in self._previous.items():
            signal.signal(number, handler)
        self._previous = {}

    def _request_stop(self, number: int, frame: FrameType | None) -> None:
        if self.stop_requested:
            raise KeyboardInterrupt
        self.stop_requested = True
