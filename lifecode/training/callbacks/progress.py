"""What a person sees while a stage trains: a bar on a terminal, plain lines elsewhere."""

import sys
import time
from typing import Any

from lightning import Callback, LightningModule, Trainer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from lifecode.data.batches.batch import Batch
from lifecode.training.stages.stage import PretrainingStage


class TrainingProgress(Callback):
    """Step, losses, nucleotides/s and time left.

    Args:
        title: of the stage.
        every_seconds: between plain lines where there is no terminal.
    """

    def __init__(self, title: str, *, every_seconds: float = 20.0) -> None:
        self.title, self.every_seconds = title, every_seconds
        self.console = Console(file=sys.stderr)
        self._bar: Progress | None = None
        self._last_line = 0.0

    def on_train_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Starts the bar on a terminal."""
        self._last_line = time.perf_counter()
        if self.console.is_terminal and trainer.is_global_zero:
            self._bar = Progress(
                TextColumn("{task.description}"),
                BarColumn(),
                MofNCompleteColumn(),
                TimeRemainingColumn(),
                TextColumn("{task.fields[losses]}"),
                console=self.console,
            )
            self._task = self._bar.add_task(
                self.title, total=trainer.max_steps, completed=trainer.global_step, losses=""
            )
            self._bar.start()

    def on_train_batch_end(  # pyright: ignore[reportIncompatibleMethodOverride]
        self, trainer: Trainer, pl_module: PretrainingStage, outputs: Any, batch: list[Batch], batch_idx: int
    ) -> None:
        """Shows one step."""
        losses = f"{_losses(pl_module)}  {pl_module.last_figures['nucleotides_per_second']:,.0f} nt/s"
        now = time.perf_counter()
        if self._bar is not None:
            self._bar.update(self._task, completed=trainer.global_step, losses=losses)
        elif now - self._last_line >= self.every_seconds or trainer.global_step == trainer.max_steps:
            self._last_line = now
            if trainer.is_global_zero:
                print(f"{self.title} step {trainer.global_step}/{trainer.max_steps}  {losses}", flush=True)

    def on_exception(self, trainer: Trainer, pl_module: LightningModule, exception: BaseException) -> None:
        """Ends the bar."""
        self.teardown(trainer, pl_module, "fit")

    def teardown(self, trainer: Trainer, pl_module: LightningModule, stage: str) -> None:
        """Ends the bar."""
        if self._bar is not None:
            self._bar.stop()
            self._bar = None


def _losses(stage: PretrainingStage) -> str:
    """The newest loss of each task, and the last validation of masked codons."""
    shown = {name: stage.last_figures.get(name) for name in ("mlm", "translation", "distillation")}
    masked = stage.trainer.callback_metrics.get(f"{stage.name}/validation/masked_codon_cross_entropy")
    shown["validation masked codon"] = None if masked is None else float(masked)
    return "  ".join(f"{label} {value:.3f}" for label, value in shown.items() if value is not None)
