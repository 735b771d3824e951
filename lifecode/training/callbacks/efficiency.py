"""How well a stage uses its machine, logged beside its losses: speed, packing, memory and MFU."""

import time
from typing import Any

import torch
from lightning import Callback, LightningModule, Trainer

from lifecode.data.batches.steps import Step, StepShape, micro_batches_of
from lifecode.evaluation.metrics import MFU, PACKING_FILL, PEAK_MEMORY
from lifecode.ops.cpu.matmul_rate import matmul_flops
from lifecode.training.cost.step_cost import model_flops
from lifecode.training.run.run_folder import peak_memory_bytes
from lifecode.training.stages.stage import PretrainingStage

_SIZE_ON_CPU, _SIZE_ON_GPU = 1024, 8192
_GIB = 2**30


class Efficiency(Callback):
    """Logs what a step of a `PretrainingStage` made of the machine.

    It comes after callbacks that draw and before `TrainingProgress`, which shows its speed where both are.

    - `nucleotides_per_second`, or what else its `speed` is: of this process, times how many there are;
      special tokens apart, validations not counted.
    - `packing_fill`: share of the step's budget of positions that sequence and special tokens fill.
    - `peak_memory_gib`: of this process: allocated on its GPU since the stage began, else resident so far.
    - `mfu`: of this process: operations the model needs for this step (one forward and one backward pass,
      nothing repeated) per second, over the rate at which its device multiplies large matrices in the same
      precision.

    Args:
        shape: of the stage's steps.
        masking: of its input.
    """

    def __init__(self, shape: StepShape, masking: Any) -> None:
        self.shape, self.masking = shape, masking
        self._last_step = self._rate = 0.0

    def on_train_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Measures the rate of matrix products, then starts the clock."""
        on_gpu = pl_module.device.type == "cuda"
        dtype = torch.bfloat16 if trainer.precision == "bf16-mixed" else torch.float32
        self._rate = matmul_flops(pl_module.device, dtype, _SIZE_ON_GPU if on_gpu else _SIZE_ON_CPU)
        if on_gpu:  # where the teacher was too
            torch.cuda.empty_cache()
            torch.cuda.reset_peak_memory_stats(pl_module.device)
        self._last_step = time.perf_counter()

    def on_train_batch_end(  # pyright: ignore[reportIncompatibleMethodOverride]
        self,
        trainer: Trainer,
        pl_module: PretrainingStage,
        outputs: Any,
        batch: Step | list[Any],
        batch_idx: int,
    ) -> None:
        """Logs the figures of one step."""
        now = time.perf_counter()
        seconds, self._last_step = now - self._last_step, now
        micro_batches = micro_batches_of(batch)
        length = sum(map(pl_module.sequence_length, micro_batches)) * trainer.world_size
        pl_module.record(**{pl_module.speed.name: length / seconds})
        if not pl_module.is_logged:
            return
        contents = [pl_module.contents(micro_batch) for micro_batch in micro_batches]
        positions = torch.tensor(sum(each.num_positions for each in contents), device=pl_module.device)
        budget = self.shape.row_length(trainer.global_step - 1) * self.shape.rows
        flops = sum(model_flops(pl_module, each, self.masking) for each in contents)
        pl_module.record(
            **{
                PACKING_FILL.name: pl_module.over_processes(positions) / budget,
                PEAK_MEMORY.name: _peak_memory_bytes(pl_module.device) / _GIB,
                MFU.name: flops / seconds / self._rate,
            }
        )

    def on_validation_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Time spent in validation is not counted as training."""
        self._last_step = time.perf_counter()


def _peak_memory_bytes(device: torch.device) -> int:
    return torch.cuda.max_memory_allocated(device) if device.type == "cuda" else peak_memory_bytes()
