"""What a stage will do, in numbers, before it does it: steps, batch, tokens, operations, memory and disk.

Parameters, batch, steps and learning rates are exact: they come from the same objects that train. Tokens are
exact where a corpus says how full its rows are, else the most that fits. Operations and memory are estimates
(`lifecode.training.cost.step_flops`, `lifecode.training.cost.step_memory`).
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

from lifecode.data.batches.batch_shape import BatchShape
from lifecode.data.batches.masking import Masking
from lifecode.data.batches.row_contents import RowContents
from lifecode.objectives.cost import StepCost, pass_per_task
from lifecode.training.cost.step_flops import step_flops
from lifecode.training.cost.step_memory import StepMemory, activation_bytes, step_memory
from lifecode.training.stages.encoder_stage import EncoderStage
from lifecode.training.stages.stage import PretrainingStage
from lifecode.training.trainer import TrainerSettings

_FLOAT32 = 4


class Phase(NamedTuple):
    """Steps with rows of one length.

    Attributes:
        first_step: 0-based.
        num_steps: of this length.
        max_codons: budget of a row.
        contents: of a row.
        flops_per_step: over all processes, the average of the steps.
    """

    first_step: int
    num_steps: int
    max_codons: int
    contents: RowContents
    flops_per_step: float


@dataclass(frozen=True, slots=True)
class StagePlan:
    """The plan of one stage.

    Attributes:
        stage: whose model may be on the meta device.
        shape: of a step.
        masking: of its input.
        num_processes: that share a step.
        num_steps: the stage will have done at its end.
        phases: by length of rows, in order; phases that are never reached are left out.
        cost: passes and gradient buffers of a step of one process, the looks at task gradients apart.
        memory: of one process, in the phase that needs most.
        activations_if_kept: bytes of the activations without checkpointing.
        activations_if_recomputed: with it; None in stage 1, which has none.
        keep_checkpoints: how many of them stay.
    """

    stage: PretrainingStage
    shape: BatchShape
    masking: Masking
    num_processes: int
    num_steps: int
    phases: list[Phase]
    cost: StepCost
    memory: StepMemory
    activations_if_kept: float
    activations_if_recomputed: float | None
    keep_checkpoints: int

    @property
    def rows_together(self) -> int:
        """Rows of one micro-batch of one process."""
        return self.shape.rows_together(self.num_processes)

    @property
    def num_micro_batches(self) -> int:
        """Accumulated into a step by each process."""
        return self.shape.rows // (self.rows_together * self.num_processes)

    @property
    def tasks(self) -> list[str]:
        """Names of the losses that the objective joins."""
        return self.stage.tasks

    @property
    def num_parameters(self) -> int:
        """Of the model, frozen ones too."""
        return sum(parameter.numel() for parameter in self.stage.parameters())

    @property
    def num_trained(self) -> int:
        """Parameters that the optimizer moves."""
        return sum(parameter.numel() for parameter in self.stage.parameters() if parameter.requires_grad)

    @property
    def num_moved_by_muon(self) -> int:
        """Of these, the ones that Muon moves."""
        return sum(p.numel() for p in self.stage.optimizer_recipe.moved_by_muon(self.stage))

    @property
    def num_codons(self) -> float:
        """Codons that pass through the model in all steps, special tokens included."""
        return self._total(lambda contents: contents.num_codons)

    @property
    def num_nucleotides(self) -> float:
        """Nucleotides that pass through the model in all steps."""
        return self._total(lambda contents: contents.num_nucleotides)

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

    @property
    def disk_bytes(self) -> int:
        """At most at a time: the checkpoints that are kept, the one being written, and the model."""
        return (self.keep_checkpoints + 1) * self.checkpoint_bytes + self.model_bytes

    def _total(self, of_row: Callable[[RowContents], float]) -> float:
        return sum(phase.num_steps * self.shape.rows * of_row(phase.contents) for phase in self.phases)


def plan_stage(
    stage: PretrainingStage,
    shape: BatchShape,
    masking: Masking,
    settings: TrainerSettings,
    contents_of_row: Callable[[int], RowContents],
) -> StagePlan:
    """The plan of a stage.

    Args:
        stage: as it would train; its model may be on the meta device.
        shape: of its steps.
        masking: of its input.
        settings: of the trainer.
        contents_of_row: what a row holds on average, by its `max_codons`.

    Raises:
        UserError: the rows of a step cannot be shared by the processes, or the objective weighs no task.
    """
    stage.objective.require_weight(stage.tasks)
    num_processes = settings.num_processes
    rows = shape.rows_together(num_processes)
    num_micro_batches = shape.rows // (rows * num_processes)
    cost = stage.objective.cost(num_micro_batches, len(stage.tasks))
    num_steps = settings.last_step(stage.optimizer_recipe.total_steps)
    warmup = min(shape.warmup_steps, num_steps)
    phases: list[Phase] = []
    for first, last in ((0, warmup), (warmup, num_steps)):
        if last > first:
            max_codons = shape.codons_at(first)
            contents = contents_of_row(max_codons)
            together = _times(contents, rows)
            flops = step_flops(stage, together, masking, cost)
            if every := _looks_every_steps(stage):
                look = pass_per_task(num_micro_batches, len(stage.tasks))
                flops += step_flops(stage, together, masking, look) / every
            flops = num_processes * (flops + stage.optimizer_recipe.flops(stage))
            phases.append(Phase(first, last - first, max_codons, contents, flops))
    fullest = _times(
        max((phase.contents for phase in phases), key=lambda contents: contents.num_codons), rows
    )
    memory = step_memory(
        stage,
        fullest,
        cost,
        precision=settings.precision,
        strategy=settings.strategy,
        num_processes=num_processes,
    )
    low = 2 if settings.precision.startswith("bf16") else _FLOAT32
    checkpointed = isinstance(stage, EncoderStage)
    return StagePlan(
        stage,
        shape,
        masking,
        num_processes,
        num_steps,
        phases,
        cost,
        memory,
        activation_bytes(stage, fullest, low, checkpointing=False),
        activation_bytes(stage, fullest, low, checkpointing=True) if checkpointed else None,
        settings.keep_checkpoints,
    )


def _looks_every_steps(stage: PretrainingStage) -> int:
    """Steps between looks at the gradient of each task, each of which is a pass of its own; 0 for none."""
    return 0 if stage.objective.balances_gradients else stage.task_gradients_every_steps


def _times(contents: RowContents, rows: int) -> RowContents:
    """What several rows hold together."""
    return RowContents(*(rows * value for value in contents))
