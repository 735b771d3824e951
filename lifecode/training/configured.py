"""Callbacks and the profiler that a config names, as one stage gets them: copies of its own.

A run has two stages, and what a callback has counted or a profiler has timed in the first is nothing to the
second.
"""

import copy
from collections.abc import Mapping
from pathlib import Path

from lightning import Callback
from lightning.pytorch.callbacks import EarlyStopping, ModelCheckpoint
from lightning.pytorch.profilers import Profiler

from lifecode.errors import UserError
from lifecode.training.stages.stage import PretrainingStage

_SOURCE = "trainer.callbacks"
STAGES = ("tokenizer", "encoder")


def require_lightning(callbacks: Mapping[str, object], profiler: object) -> None:
    """Of what a config names.

    Raises:
        UserError: it is neither a callback nor a profiler of Lightning.
    """
    for name, callback in callbacks.items():
        if callback is not None and not isinstance(callback, Callback):
            raise UserError(
                f"is a {type(callback).__name__}, which is no Lightning callback",
                source=f"{_SOURCE}.{name}",
                remedy="Name a class of lightning.pytorch.callbacks as its _target_",
            )
    if profiler is not None and not isinstance(profiler, Profiler):
        raise UserError(
            f"is a {type(profiler).__name__}, which is no Lightning profiler",
            source="trainer.profiler",
            remedy="Name a class of lightning.pytorch.profilers as its _target_",
        )


def callbacks_of_stage(
    callbacks: Mapping[str, Callback | None], stage: PretrainingStage, *, is_validated: bool
) -> list[Callback]:
    """Copies of those that concern a stage: all but the ones whose `monitor` is a figure of the other.

    Args:
        callbacks: by the names that the config gives them; None is one that was taken out.
        stage: that is to be trained.
        is_validated: whether there will be a validation.

    Raises:
        UserError: one monitors a figure of validation that there will not be.
    """
    chosen = []
    for name, callback in callbacks.items():
        monitor = str(getattr(callback, "monitor", None))
        of_stage, _, figure = monitor.partition("/")
        if callback is None or (of_stage in STAGES and of_stage != stage.name):
            continue
        if isinstance(callback, EarlyStopping | ModelCheckpoint) and of_stage == stage.name:
            _require_figure(stage, figure, f"{_SOURCE}.{name}.monitor", is_validated=is_validated)
        chosen.append(copy.deepcopy(callback))
    return chosen


def profiler_of_stage(profiler: Profiler | None, folder: Path) -> Profiler | None:
    """A copy of a profiler that writes into a folder of its stage, `fit-profile.txt` unless it is named."""
    if profiler is None:
        return None
    own = copy.deepcopy(profiler)
    own.dirpath = folder
    own.filename = own.filename or "profile"
    return own


def _require_figure(stage: PretrainingStage, figure: str, source: str, *, is_validated: bool) -> None:
    split, _, name = figure.partition("/")
    if split != "validation":
        return
    known = [*stage.tasks, *stage.monitors]
    if name not in known:
        raise UserError(
            f"is {stage.name}/{figure}, which is no figure of validation",
            source=source,
            remedy=f"Monitor {', '.join(f'{stage.name}/validation/{each}' for each in known)}",
        )
    if not is_validated:
        raise UserError(
            f"is {stage.name}/{figure}, and this stage ends before its first validation",
            source=source,
            remedy="Validate earlier: trainer.validate_every_steps, data.validation_steps",
        )
