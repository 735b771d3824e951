"""What a stage will do, in numbers, before it does it: steps, batch, tokens, operations, memory and disk.

Parameters, batch, steps and learning rates are exact: they come from the same objects that train. Tokens are
exact where a corpus says how full its rows are, else the most that fits. Operations and memory are estimates
(`lifecode.training.cost.step_cost`).
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple

from lifecode.data.batches.row_contents import Contents
from lifecode.data.batches.steps import StepShape
from lifecode.models.layers.cost import Part
from lifecode.objectives.cost import StepCost, pass_per_task
from lifecode.training.cost.step_cost import (
    StepMemory,
    activation_bytes,
    bytes_of_a_value,
    step_flops,
    step_memory,
)
from lifecode.training.stages.stage import PretrainingStage
from lifecode.training.trainer import TrainerSettings

_FLOAT32 = 4


class Phase(NamedTuple):
    """Steps with rows of one length.

    Attributes:
        num_steps: of this length.
        row_length: budget of a row, in positions.
        contents: of a row.
        flops_per_step: over all processes, the average of the steps.
    """

    num_steps: int
    row_length: int
    contents: Contents
    flops_per_step: float


@dataclass(frozen=True, slots=True)
class StagePlan:
    """The plan of one stage.

    Attributes:
        stage: whose model may be on the meta device.
        shape: of a step.
        masking: of its input.
        settings: of the trainer.
        phases: by length of rows, in order; phases that are never reached are left out.
        parts: of the model, with what the fullest rows that pass through it together hold.
    """

    stage: PretrainingStage
    shape: StepShape
    masking: Any
    settings: TrainerSettings
    phases: list[Phase]
    parts: list[Part]

    @property
    def num_processes(self) -> int:
        """That share a step."""
        return self.settings.num_processes

    @property
    def rows_together(self) -> int:
        """Rows of one micro-batch of one process."""
        return self.shape.rows_together(self.num_processes)

    @property
    def num_micro_batches(self) -> int:
        """Accumulated into a step by each process."""
        return self.shape.rows // (self.rows_together * self.num_processes)

    @property
    def num_steps(self) -> int:
        """The stage will have done at its end."""
        return self.settings.last_step(self.stage.optimizer_recipe.total_steps)

    @property
    def cost(self) -> StepCost:
        """Passes and gradient buffers of a step of one process, the looks at task gradients apart."""
        return self.stage.objective.cost(self.num_micro_batches, len(self.stage.tasks))

    @property
    def memory(self) -> StepMemory:
        """Of one process, in the phase that needs most."""
        how = {"precision": self.settings.precision, "strategy": self.settings.strategy}
        return step_memory(self.stage, self.parts, self.cost, **how, num_processes=self.num_processes)

    @property
    def activations_kept_or_recomputed(self) -> tuple[float, float] | None:
        """Bytes of the activations without and with checkpointing; None where nothing can be recomputed."""
        if all(part.checkpointing is None for part in self.parts):
            return None
        low = bytes_of_a_value(self.settings.precision)
        kept, recomputed = (activation_bytes(self.parts, low, checkpointing=on) for on in (False, True))
        return kept, recomputed

    @property
    def num_parameters(self) -> int:
        """Of the model, frozen ones too."""
        return sum(parameter.numel() for parameter in self.stage.parameters())

    @property
    def num_trained(self) -> int:
        """Parameters that the optimizer moves."""
        return sum(parameter.numel() for parameter in self.stage.parameters() if parameter.requires_grad)

    @property
    def num_positions(self) -> float:
        """Positions that pass through the model in all steps, special tokens included."""
        return sum(phase.num_steps * self.shape.rows * phase.contents.num_positions for phase in self.phases)

    @property
    def length(self) -> float:
        """Nucleotides or letters that pass through the model in all steps."""
        return sum(phase.num_steps * self.shape.rows * phase.contents.length for phase in self.phases)

    @property
    def flops(self) -> float:
        """Operations of all steps and processes."""
        return sum(phase.num_steps * phase.flops_per_step for phase in self.phases)

    @property
    def model_bytes(self) -> int:
        """Size of the weights in float32, as they are saved."""
        return _FLOAT32 * self.num_parameters

    @property
    def checkpoint_bytes(self) -> int:
        """Size of one checkpoint: weights and buffers, and the optimizer's moments, in float32."""
        buffers = sum(buffer.numel() * buffer.element_size() for buffer in self.stage.buffers())
        moments = self.stage.optimizer_recipe.num_state_values(self.stage)
        return self.model_bytes + buffers + _FLOAT32 * moments


def plan_stage(
    stage: PretrainingStage,
    shape: StepShape,
    masking: Any,
    settings: TrainerSettings,
    contents_of_row: Callable[[int], Contents],
) -> StagePlan:
    """The plan of a stage.

    Args:
        stage: as it would train; its model may be on the meta device.
        shape: of its steps.
        masking: of its input.
        settings: of the trainer.
        contents_of_row: what a row holds on average, by its length.

    Raises:
        UserError: the rows of a step cannot be shared by the processes, or the objective weighs no task.
    """
    stage.objective.require_weight(stage.tasks)
    rows, recipe = shape.rows_together(settings.num_processes), stage.optimizer_recipe
    plan = StagePlan(stage, shape, masking, settings, phases=[], parts=[])
    # Looks at the gradient of each task are passes of their own.
    every = 0 if stage.objective.balances_gradients else stage.task_gradients_every_steps
    look = pass_per_task(plan.num_micro_batches, len(stage.tasks))
    warmup, fullest = min(shape.warmup_steps, plan.num_steps), 0.0
    for first, last in ((0, warmup), (warmup, plan.num_steps)):
        if last > first:
            contents = contents_of_row(shape.row_length(first))
            parts = stage.parts(contents.times(rows), masking)
            flops = step_flops(parts, plan.cost) + recipe.flops(stage)
            flops += step_flops(parts, look) / every if every else 0.0
            phase = Phase(last - first, shape.row_length(first), contents, settings.num_processes * flops)
            plan.phases.append(phase)
            if contents.num_positions > fullest:
                fullest, plan.parts[:] = contents.num_positions, parts
    return plan
