"""How fast a stage trains on this machine, by real steps of a plain Trainer, and what its parts take.

Nothing is saved, logged or validated, and there is no teacher: the least that training can take.
"""

import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import torch
from lightning import Callback, LightningModule, Trainer

from lifecode.data.batches.batch import Batch
from lifecode.data.batches.batch_shape import BatchShape
from lifecode.data.batches.module import CorpusDataModule
from lifecode.models.layers.gated_deltanet import GatedDeltaNet
from lifecode.models.life_code.model import LifeCode
from lifecode.ops import gated_delta_rule
from lifecode.ops.delta_rule.boundary import resolve_backend
from lifecode.training.stages.stage import PretrainingStage
from lifecode.training.trainer import TrainerSettings

SHORT_ROW = 1024
"""Codons of a row that is quick to train on, and long enough to keep every thread at work."""


class StepClock(Callback):
    """Times steps, the first apart, until they have taken long enough; keeps a micro-batch."""

    def __init__(self, enough_seconds: float) -> None:
        self.enough_seconds = enough_seconds
        self._seconds, self._nucleotides = list[float](), list[int]()

    def on_train_batch_start(  # pyright: ignore[reportIncompatibleMethodOverride]
        self, trainer: Trainer, pl_module: LightningModule, batch: list[Batch], batch_idx: int
    ) -> None:
        """Starts the clock."""
        self.batch, self._start = batch[0], _now(pl_module.device)

    def on_train_batch_end(  # pyright: ignore[reportIncompatibleMethodOverride]
        self, trainer: Trainer, pl_module: LightningModule, outputs: Any, batch: list[Batch], batch_idx: int
    ) -> None:
        """Stops the clock, and training once it has run long enough."""
        self._seconds.append(_now(pl_module.device) - self._start)
        self._nucleotides.append(sum(micro_batch.num_nucleotides for micro_batch in batch))
        trainer.should_stop = sum(self._seconds[1:]) >= self.enough_seconds

    @property
    def seconds_per_step(self) -> float:
        """On average."""
        return sum(self._seconds[1:]) / len(self._seconds[1:])

    @property
    def nucleotides_per_second(self) -> float:
        """Over all steps, special tokens apart."""
        return sum(self._nucleotides[1:]) / sum(self._seconds[1:])


def train_for(
    stage: PretrainingStage, data: CorpusDataModule, settings: TrainerSettings, seconds: float
) -> StepClock:
    """Trains a stage on one device for a step and then some more seconds."""
    clock = StepClock(seconds)
    trainer = Trainer(
        accelerator="cuda" if settings.on_gpu or settings.accelerator == "gpu" else "cpu",
        devices=1,
        precision=settings.precision,
        max_epochs=-1,
        callbacks=[clock],
        logger=False,
        limit_val_batches=0,
        enable_checkpointing=False,
        enable_progress_bar=False,
        enable_model_summary=False,
    )
    try:
        trainer.fit(stage, datamodule=data)
    except SystemExit:  # how Lightning ends at an interruption
        raise KeyboardInterrupt from None
    return clock


def part_of_one_process(shape: BatchShape, num_processes: int) -> BatchShape:
    """At most two micro-batches of what one process has of a step, behind a first step of short rows.

    Two, since an objective may take several micro-batches through the model twice.

    Raises:
        UserError: the rows of a step cannot be shared by the processes.
    """
    together = shape.rows_together(num_processes)
    rows, short = min(shape.rows // num_processes, 2 * together), min(shape.max_codons, SHORT_ROW)
    return replace(shape, rows=rows, rows_at_once=together, warmup_codons=short, warmup_steps=1)


def reading_rate(model: LifeCode, batch: Batch) -> float:
    """Nucleotides per second that the model reads without gradients, on the batch's device."""
    model = model.to(batch.ids.device)
    with torch.inference_mode():
        seconds = _least_seconds(lambda: model(batch.ids, batch.cu_seqlens), batch.ids.device)
    return batch.num_nucleotides / seconds


def delta_rule_seconds(model: LifeCode, num_codons: int, device: torch.device) -> dict[str, float]:
    """Forward and backward of one layer's gated delta rule over one row, by backend.

    The backend that runs here comes first, the portable one behind it; empty for a model without such layers.
    """
    mixers = [part for part in model.encoder.modules() if isinstance(part, GatedDeltaNet)]
    if not mixers:
        return {}
    heads = mixers[0].num_heads
    keys, values = (layer.out_features // heads for layer in (mixers[0].k_proj, mixers[0].v_proj))
    own = resolve_backend("auto", device.type, torch.float32, keys)

    def random(*width: int) -> torch.Tensor:
        return torch.rand(1, num_codons, heads, *width, device=device, requires_grad=True)

    q, k, v, g, beta = random(keys), random(keys), random(values), random(), random()

    def run(backend: str) -> None:
        unit = torch.nn.functional.normalize(k, dim=-1)
        gated_delta_rule(q, unit, v, -0.3 * g, beta, backend=backend).sum().backward()

    backends = dict.fromkeys([own, "chunked"])
    return {name: _least_seconds(lambda name=name: run(name), device) for name in backends}


def _least_seconds(call: Callable[[], Any], device: torch.device) -> float:
    """Of two calls after a first one."""
    call()
    seconds = []
    for _ in range(2):
        start = _now(device)
        call()
        seconds.append(_now(device) - start)
    return min(seconds)


def _now(device: torch.device) -> float:
    if device.type == "cuda":
        torch.cuda.synchronize(device)
    return time.perf_counter()
