"""How long and on what a stage trains: settings that may change between two sittings of one run."""

import copy
import math
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Literal

import torch
from lightning import Callback, Trainer
from lightning.pytorch.callbacks import Checkpoint
from lightning.pytorch.loggers import Logger
from lightning.pytorch.profilers import Profiler

from lifecode.data.batches.step_module import StepDataModule
from lifecode.errors import Interrupted, UserError
from lifecode.host.durable import disk_faults_named
from lifecode.ops.finite import check_finite
from lifecode.training.callbacks.checkpoints import Checkpoints, require_several
from lifecode.training.callbacks.efficiency import Efficiency
from lifecode.training.callbacks.progress import TrainingProgress
from lifecode.training.compilation import compile_blocks, require_compiler
from lifecode.training.configured import callbacks_of_stage, profiler_of_stage, require_lightning
from lifecode.training.loader_faults import loader_faults_named
from lifecode.training.processes import ALONE, Processes, cluster_environment
from lifecode.training.run.checkpoint_file import (
    DurableCheckpointIO,
    checkpoint_step,
    latest_checkpoint,
    load_module_state,
    stopped_early,
)
from lifecode.training.run.metrics_csv import MetricsCsv
from lifecode.training.sharding import FullySharded, gather
from lifecode.training.stages.stage import PretrainingStage


@dataclass(frozen=True, slots=True)
class TrainerSettings:
    """Limits, devices and rhythm of a stage.

    Attributes:
        max_steps: stop each stage here, even if its schedule is longer; None trains the whole schedule.
        accelerator: `auto`, `cpu` or `gpu`, which is CUDA.
        devices: how many of them on each machine, or `auto`; each has a process.
        num_nodes: machines.
        strategy: of several processes: `ddp` keeps a whole model in each, `fsdp` a part of it (FSDP2); `auto`
            is `ddp`.
        precision: `32-true` or `bf16-mixed`.
        compile: compile the blocks of the model with `torch.compile`.
        check_finite: look for NaN and infinity in the inputs of every op, to find where they begin.
        num_workers: loader processes; the batches do not depend on it.
        log_every_steps: optimizer steps between rows of metrics.csv.
        validate_every_steps: optimizer steps between validations.
        checkpoint_every_steps: optimizer steps between checkpoints.
        keep_checkpoints: how many of the newest checkpoints of a stage stay, at least 2.
        callbacks: of Lightning, by names that only tell them apart; a stage gets copies of those that do not
            monitor a figure of the other stage.
        profiler: of Lightning; it writes into `profile/<stage>` of the run folder.
        limit_val_batches: steps of each validation, or their share of `data.validation_steps`; 0 for none.
        deterministic: refuse operations without a deterministic algorithm, or `warn` of them.
        detect_anomaly: say which forward operation made the first NaN of a backward pass (slow).
    """

    max_steps: int | None = None
    accelerator: Literal["auto", "cpu", "gpu"] = "auto"
    devices: int | Literal["auto"] = 1
    num_nodes: int = 1
    strategy: Literal["auto", "ddp", "fsdp"] = "auto"
    precision: Literal["32-true", "bf16-mixed"] = "32-true"
    compile: bool = False
    check_finite: bool = False
    num_workers: int = 0
    log_every_steps: int = 5
    validate_every_steps: int = 50
    checkpoint_every_steps: int = 25
    keep_checkpoints: int = 2
    callbacks: dict[str, Callback | None] = field(default_factory=dict)
    profiler: Profiler | None = None
    limit_val_batches: int | float = 1.0
    deterministic: bool | Literal["warn"] = False
    detect_anomaly: bool = False

    def __post_init__(self) -> None:
        rhythm = (self.log_every_steps, self.validate_every_steps, self.checkpoint_every_steps)
        if min(rhythm) < 1 or (self.max_steps is not None and self.max_steps < 1):
            raise UserError("steps must be at least 1", source="trainer")
        if self.num_nodes < 1 or (self.devices != "auto" and self.devices < 1):
            raise UserError("devices and num_nodes must be at least 1", source="trainer")
        if self.num_workers < 0:
            raise UserError(f"is {self.num_workers}, which is below 0", source="trainer.num_workers")
        require_several(self.keep_checkpoints)
        if not 0 <= self.limit_val_batches <= (1 if isinstance(self.limit_val_batches, float) else math.inf):
            raise UserError(
                f"is {self.limit_val_batches}",
                source="trainer.limit_val_batches",
                remedy="Give a number of steps, or a share between 0.0 and 1.0",
            )
        require_lightning(self.callbacks, self.profiler)
        if self.compile:
            require_compiler("cuda" if self.on_gpu else "cpu")

    @property
    def on_gpu(self) -> bool:
        """Whether the processes have GPUs."""
        return self.accelerator != "cpu" and torch.cuda.is_available()

    @property
    def device(self) -> torch.device:
        """What one process computes on."""
        return torch.device("cuda" if self.on_gpu else "cpu")

    @property
    def processes_per_node(self) -> int:
        """Processes on each machine."""
        if self.devices == "auto":
            return torch.cuda.device_count() if self.on_gpu else 1
        return self.devices

    @property
    def num_processes(self) -> int:
        """Processes on all machines."""
        return self.processes_per_node * self.num_nodes

    def last_step(self, total_steps: int) -> int:
        """The step at which a stage with this schedule ends."""
        return total_steps if self.max_steps is None else min(total_steps, self.max_steps)

    def validates(self, total_steps: int, validation_steps: int) -> bool:
        """Whether a stage with this schedule and so many steps of validation comes to one."""
        is_long_enough = self.last_step(total_steps) >= self.validate_every_steps
        return is_long_enough and validation_steps > 0 and self.limit_val_batches > 0

    def is_last(self, checkpoint: Path, total_steps: int) -> bool:
        """Whether a stage with this schedule is finished at a checkpoint: by its steps, or by a callback.

        Without callbacks, a stage that one of them had ended goes on.
        """
        by_steps = checkpoint_step(checkpoint) >= self.last_step(total_steps)
        return by_steps or (any(self.callbacks.values()) and stopped_early(checkpoint))


def train_stage(
    stage: PretrainingStage,
    data: StepDataModule,
    settings: TrainerSettings,
    run_folder: Path,
    loggers: list[Logger],
    processes: Processes = ALONE,
    callbacks: Sequence[Callback] = (),
) -> int:
    """Trains a stage from its last checkpoint to its last step; returns the steps it has done.

    Args:
        stage: of any family.
        data: its steps.
        settings: limits, devices and rhythm.
        run_folder: where checkpoints and metrics.csv are.
        loggers: beside metrics.csv.
        processes: that train together.
        callbacks: beside those of the settings, and those that save, measure and show.

    Raises:
        Interrupted: the stage was asked to stop; everything up to its last step is saved.
        UserError: the objective weighs no task, the last checkpoint does not fit the model, none can be
            loaded, the disk is full, or three steps in a row were not finite.
    """
    stage.objective.require_weight(stage.tasks)
    folder = run_folder / stage.name / "checkpoints"
    processes.only_first(partial(_make, folder))
    total_steps = stage.optimizer_recipe.total_steps
    last_step = settings.last_step(total_steps)
    is_validated = settings.validates(total_steps, data.validation_steps)
    configured = callbacks_of_stage(settings.callbacks, stage, is_validated=is_validated)
    checkpoint = processes.from_first(lambda: latest_checkpoint(folder))
    done = checkpoint_step(checkpoint) if checkpoint else 0
    if checkpoint is not None:
        processes.first_then_others(partial(load_module_state, stage, checkpoint))
        if processes.from_first(partial(settings.is_last, checkpoint, total_steps)):
            early = f" of {last_step}, where a callback ended it" if done < last_step else ""
            print(f"{stage.name}: already trained for {done} steps{early}")
            return done
        print(f"{stage.name}: going on from step {done}")
    check_finite(settings.check_finite)
    metrics = MetricsCsv(run_folder / "metrics.csv")
    processes.only_first(lambda: metrics.drop_from(stage.name, done))
    # Sharding takes parameters apart: a copy is trained, and this process keeps a whole model.
    trained = copy.deepcopy(stage) if settings.strategy == "fsdp" else stage
    if settings.compile:
        compile_blocks(trained)
    callbacks = [
        *callbacks,
        *configured,
        Efficiency(data.shape, data.masking),
        TrainingProgress(stage.name),
        Checkpoints(folder, every_steps=settings.checkpoint_every_steps, keep=settings.keep_checkpoints),
    ]
    profiler = profiler_of_stage(settings.profiler, run_folder / "profile" / stage.name)
    trainer = lightning_trainer(settings, last_step, [metrics, *loggers], callbacks, profiler, folder.parent)
    with loader_faults_named(), stops_named():
        trainer.fit(trained, datamodule=data, ckpt_path=checkpoint, weights_only=True)
    if trained is not stage:
        gather(trained, into=stage)
    if trainer.global_step < last_step:
        print(f"{stage.name}: a callback ended it after step {trainer.global_step} of {last_step}")
    return trainer.global_step


@contextmanager
def stops_named() -> Iterator[None]:
    """Around a fit: what ended it, where it was asked to end.

    Raises:
        Interrupted: in place of the `SystemExit` with which Lightning ends at an interruption.
    """
    try:
        yield
    except SystemExit as end:
        if isinstance(end.__context__, Interrupted):
            raise end.__context__ from None
        raise Interrupted(
            "interrupted within a step; the same command goes on from the last checkpoint"
        ) from None


def lightning_trainer(
    settings: TrainerSettings,
    last_step: int,
    loggers: list[Logger],
    callbacks: list[Callback],
    profiler: Profiler | None,
    folder: Path | None,
) -> Trainer:
    """Lightning's trainer, with nothing of its own on the terminal, and in `folder` what callbacks write."""
    environment = cluster_environment()
    return Trainer(
        max_steps=last_step,
        max_epochs=-1,
        # Not Lightning's auto, which would take a GPU that is no CUDA one.
        accelerator="cuda" if settings.on_gpu or settings.accelerator == "gpu" else "cpu",
        devices=settings.devices,
        num_nodes=settings.num_nodes,
        strategy=FullySharded() if settings.strategy == "fsdp" else settings.strategy,
        precision=settings.precision,
        logger=loggers,
        callbacks=callbacks,
        # Without a callback that saves, Lightning's own would, in the current folder.
        enable_checkpointing=any(isinstance(callback, Checkpoint) for callback in callbacks),
        plugins=[DurableCheckpointIO(), *([environment] if environment else [])],
        log_every_n_steps=settings.log_every_steps,
        val_check_interval=settings.validate_every_steps,
        check_val_every_n_epoch=None,
        num_sanity_val_steps=0,
        limit_val_batches=settings.limit_val_batches,
        profiler=profiler,
        deterministic=settings.deterministic or None,  # False would change the host's setting
        detect_anomaly=settings.detect_anomaly,
        default_root_dir=folder,
        enable_progress_bar=False,
        enable_model_summary=False,
        use_distributed_sampler=False,
    )


def _make(folder: Path) -> None:
    with disk_faults_named(folder):
        folder.mkdir(parents=True, exist_ok=True)
