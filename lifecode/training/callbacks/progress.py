"""What a person sees while a stage trains: a bar on a terminal, plain lines elsewhere."""

import sys
import time
from typing import Any

from lightning import Callback, LightningModule, Trainer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from lifecode.evaluation.metrics import LETTERS_PER_SECOND, NUCLEOTIDES_PER_SECOND

_SPEEDS = {NUCLEOTIDES_PER_SECOND.name: "nt/s", LETTERS_PER_SECOND.name: "letters/s"}


class TrainingProgress(Callback):
    """Step, what the module has on its progress bar, nucleotides/s where `Efficiency` measures, time left.

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
                self.title, total=_last_step(trainer), completed=trainer.global_step, losses=""
            )
            self._bar.start()

    def on_train_batch_end(
        self, trainer: Trainer, pl_module: LightningModule, outputs: Any, batch: Any, batch_idx: int
    ) -> None:
        """Shows one step."""
        now, step = time.perf_counter(), trainer.global_step
        if self._bar is not None:
            self._bar.update(self._task, completed=step, losses=_figures(trainer))
        elif now - self._last_line >= self.every_seconds or step == trainer.max_steps:
            self._last_line = now
            if trainer.is_global_zero:
                of = f"/{last}" if (last := _last_step(trainer)) else ""
                print(f"{self.title} step {step}{of}  {_figures(trainer)}", flush=True)

    def on_exception(self, trainer: Trainer, pl_module: LightningModule, exception: BaseException) -> None:
        """Ends the bar."""
        self.teardown(trainer, pl_module, "fit")

    def teardown(self, trainer: Trainer, pl_module: LightningModule, stage: str) -> None:
        """Ends the bar."""
        if self._bar is not None:
            self._bar.stop()
            self._bar = None


def _last_step(trainer: Trainer) -> int | None:
    return trainer.max_steps if trainer.max_steps > 0 else None


def _figures(trainer: Trainer) -> str:
    """The newest figures, each with its name without that of the module."""
    shown = [f"{_label(name)} {float(x):.3f}" for name, x in trainer.progress_bar_metrics.items()]
    speeds = [
        f"{float(x):,.0f} {unit}"
        for name, x in trainer.callback_metrics.items()
        for metric, unit in _SPEEDS.items()
        if name.endswith(metric)
    ]
    return "  ".join([*shown, *speeds])


def _label(name: str) -> str:
    return name.partition("/")[2].removeprefix("train/").replace("/", " ").replace("_", " ") or name
