"""One optimizer step of a learner, as a workload: forward, backward and AdamW, the same for everybody."""

import os
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any

import torch
from torch import Tensor

from benchmarks.measuring.machine import Precision
from benchmarks.training.learners import Learner
from benchmarks.training.peers import counted_parameters
from benchmarks.training.training_flops import training_flops
from lifecode.ops.cpu.heap import keep_freed_memory
from lifecode.training.stages.optimizer import OptimizerRecipe

PART = "step"
_PROFILE_ROWS = 15


def sequences_a_step(num_nucleotides: int, nucleotides_per_step: int) -> int:
    """How many sequences of a length fill a step; at least one."""
    return max(1, nucleotides_per_step // num_nucleotides)


class TrainingStep:
    """Trains a learner on the same random batch again and again.

    Args:
        learner: makes it, in the process that measures.
        nucleotides_per_step: sequences of the prepared length fill this.
        precision: `fp32`, or `bf16` for autocast.
    """

    def __init__(
        self, learner: Callable[[], Learner], nucleotides_per_step: int, precision: Precision
    ) -> None:
        keep_freed_memory()  # as `lifecode train` does
        torch.manual_seed(0)
        self.learner, self.nucleotides_per_step, self.precision = learner(), nucleotides_per_step, precision
        recipe = OptimizerRecipe(lr=1e-4, total_steps=1_000_000)
        self.optimizer = recipe.build(self.learner.model)[0]
        self.batch: Any = None

    def prepare(self, length: int) -> dict[str, float]:
        """Makes a batch; tells parameters (BERT's positions apart) and operations of a step."""
        self.batch = self.learner.batch(sequences_a_step(length, self.nucleotides_per_step), length)
        model = self.learner.model
        every = sum(p.numel() for p in model.parameters())
        counted = counted_parameters(model)
        return {
            "parameters": counted,
            "position_parameters": every - counted,
            "flops": training_flops(model, self._loss),
        }

    def run(self, part: str) -> None:
        """The step; `part` is always `step`."""
        assert part == PART
        self._loss().backward()
        self.optimizer.step()
        self.optimizer.zero_grad()

    def profile(self) -> str:
        """The torch profiler's table of one step: the operators that take most of the CPU's time."""
        os.environ.setdefault("KINETO_LOG_LEVEL", "99")  # it would report its own start and stop
        activities = [torch.profiler.ProfilerActivity.CPU]
        with torch.profiler.profile(activities=activities) as profiler:
            self.run(PART)
        return profiler.key_averages().table(sort_by="self_cpu_time_total", row_limit=_PROFILE_ROWS)

    def _loss(self) -> Tensor:
        autocast: AbstractContextManager[Any] = torch.autocast(
            "cpu", dtype=torch.bfloat16, enabled=self.precision == "bf16"
        )
        with autocast:
            return self.learner.loss(self.batch)
