"""What a stage will do, in numbers, before it does it: steps, batch, tokens, operations, memory and disk.

Parameters, batch, steps and learning rates are exact: they come from the same objects that train. Tokens are
exact where a corpus says how full its rows are, else the most that fits. Operations and memory are estimates
(`lifecode.training.cost.step_cost`).
"""

from collections.abc import Callable
from typing import Any, NamedTuple

from lifecode.data.batches.row_contents import Contents
from lifecode.data.batches.steps import StepShape
from lifecode.models.layers.cost import Part
from lifecode.models.layers.value_bytes import FLOAT32
from lifecode.objectives.cost import StepCost, pass_per_task
from lifecode.training.cost.step_cost import StepMemory, step_flops, step_memory
from lifecode.training.stages.stage import PretrainingStage
from lifecode.training.trainer import TrainerSettings


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


class StagePlan(NamedTuple):
    """The plan of one stage.

    Attributes:
        stage: whose model may be on the meta device.
        shape: of a step.
        masking: of its input.
        settings: of the trainer.
        rows_together: of one micro-batch of one process.
        num_micro_batches: accumulated into a step by each process.
        num_steps: the stage will have done at its end.
        cost: passes and gradient buffers of a step of one process, the looks at task gradients apart.
        phases: by length of rows, in order; phases that are never reached are left out.
        parts: of the model, with what the fullest rows that pass through it together hold.
        memory: of one process, in the phase that needs most.
        num_parameters: of the model, frozen ones too.
        num_trained: parameters that the optimizer moves.
        checkpoint_bytes: of weights and buffers, and the optimizer's moments, in float32.
    """

    stage: PretrainingStage
    shape: StepShape
    masking: Any
    settings: TrainerSettings
    rows_together: int
    num_micro_batches: int
    num_steps: int
    cost: StepCost
    phases: list[Phase]
    parts: list[Part]
    memory: StepMemory
    num_parameters: int
    num_trained: int
    checkpoint_bytes: int

    def in_all(self, of_step: Callable[[Phase], float]) -> float:
        """Over all steps of the stage what a step of each phase has."""
        return sum(phase.num_steps * of_step(phase) for phase in self.phases)

    @property
    def num_positions(self) -> float:
        """That pass through the model in all steps, special tokens included."""
        return self.in_all(lambda phase: self.shape.rows * phase.contents.num_positions)

    @property
    def flops(self) -> float:
        """Operations of all steps and processes."""
        return self.in_all(lambda phase: phase.flops_per_step)


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
    recipe, num_processes = stage.optimizer_recipe, settings.num_processes
    rows = shape.rows_together(num_processes)
    num_micro_batches = shape.rows // (rows * num_processes)
    num_steps = settings.last_step(recipe.total_steps)
    cost = stage.objective.cost(num_micro_batches, len(stage.tasks))
    # Looks at the gradient of each task are passes of their own.
    every = 0 if stage.objective.balances_gradients else stage.task_gradients_every_steps
    look = pass_per_task(num_micro_batches, len(stage.tasks))

    def flops(parts: list[Part]) -> float:
        looks = step_flops(parts, look) / every if every else 0.0
        return num_processes * (step_flops(parts, cost) + recipe.flops(stage) + looks)

    def parts_of(contents: Contents) -> list[Part]:
        return stage.parts(contents.times(rows), masking)

    phases, parts = _phases(shape, num_steps, contents_of_row, parts_of, flops)
    parameters = list(stage.parameters())
    num_parameters = sum(x.numel() for x in parameters)
    buffers = sum(x.numel() * x.element_size() for x in stage.buffers())
    return StagePlan(
        stage,
        shape,
        masking,
        settings,
        rows_together=rows,
        num_micro_batches=num_micro_batches,
        num_steps=num_steps,
        cost=cost,
        phases=phases,
        parts=parts,
        memory=step_memory(
            stage,
            parts,
            cost,
            precision=settings.precision,
            strategy=settings.strategy,
            num_processes=num_processes,
        ),
        num_parameters=num_parameters,
        num_trained=sum(x.numel() for x in parameters if x.requires_grad),
        checkpoint_bytes=FLOAT32 * (num_parameters + recipe.num_state_values(stage)) + buffers,
    )


def _phases(
    shape: StepShape,
    num_steps: int,
    contents_of_row: Callable[[int], Contents],
    parts_of: Callable[[Contents], list[Part]],
    flops: Callable[[list[Part]], float],
) -> tuple[list[Phase], list[Part]]:
    """The steps with short rows and those with rows of full length, and the parts of the fullest step."""
    warmup = min(shape.warmup_steps, num_steps)
    phases, parts, fullest = [], [], 0.0
    for first, last in ((0, warmup), (warmup, num_steps)):
        if last > first:
            contents = contents_of_row(shape.row_length(first))
            of_phase = parts_of(contents)
            phases.append(Phase(last - first, shape.row_length(first), contents, flops(of_phase)))
            if contents.num_positions > fullest:
                fullest, parts = contents.num_positions, of_phase
    return phases, parts
