"""Operations and memory of an optimizer step, estimated from what its rows hold; nothing is run.

Operations are those of `lifecode.models.layers.cost`, with a backward pass worth up to two forward passes;
checkpointing adds a forward pass of the layers to every backward pass.

Weights, gradients and AdamW's two moments are float32: 4, 4 and 8 bytes per parameter, the latter two only of
those that are trained; Muon keeps one moment, 4 bytes. Under bf16 autocast a bfloat16 copy of the weights
comes to them. Under DDP the gradients are held once more, in the buckets they are sent in; FSDP divides all
of these by the processes. Activations are the values that a backward pass needs, as the parts of the model
state them, with that pass's working memory: as much as its widest block keeps.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

from lifecode.data.batches.row_contents import Contents
from lifecode.models.layers.cost import Part
from lifecode.models.layers.value_bytes import FLOAT32, bytes_of_a_value
from lifecode.objectives.cost import StepCost
from lifecode.training.stages.stage import PretrainingStage


def step_flops(parts: Sequence[Part], cost: StepCost) -> float:
    """Operations of one optimizer step of one process.

    Args:
        parts: of the stage, with what all rows that pass through the model together hold.
        cost: passes of the step.
    """
    forward = sum(part.forward_flops for part in parts)
    backward = sum(part.forward_flops * (part.backward_passes + bool(part.checkpointing)) for part in parts)
    return (
        cost.forwards_without_gradient + cost.forwards_with_gradient
    ) * forward + cost.backwards * backward


def model_flops(stage: PretrainingStage, contents: Contents, masking: Any) -> float:
    """Operations that the model needs to learn from some rows: each pass once, nothing computed again."""
    return sum(part.forward_flops * (1 + part.backward_passes) for part in stage.parts(contents, masking))


class StepMemory(NamedTuple):
    """Bytes of one process.

    Attributes:
        weights: float32, and their bfloat16 copies under autocast.
        gradients: buffers of the size of what is trained.
        optimizer: its moments.
        activations: of the rows that pass through the model together, with the working memory.
    """

    weights: float
    gradients: float
    optimizer: float
    activations: float

    @property
    def total(self) -> float:
        """All of it."""
        return sum(self)


def step_memory(
    stage: PretrainingStage,
    parts: Sequence[Part],
    cost: StepCost,
    *,
    precision: str,
    strategy: str,
    num_processes: int,
) -> StepMemory:
    """Memory of one process in one optimizer step.

    Args:
        stage: its model may be on the meta device.
        parts: of the stage, with what all rows that pass through the model together hold.
        cost: gradient buffers of the step.
        precision: `32-true` or `bf16-mixed`.
        strategy: `auto`, `ddp` or `fsdp`.
        num_processes: over all machines.
    """
    every = sum(parameter.numel() for parameter in stage.parameters())
    trained = sum(parameter.numel() for parameter in stage.parameters() if parameter.requires_grad)
    low = bytes_of_a_value(precision)
    sharded = strategy == "fsdp"
    buckets = int(num_processes > 1 and not sharded)
    share = num_processes if sharded else 1
    return StepMemory(
        weights=every * (FLOAT32 + (low if low < FLOAT32 else 0)) / share,
        gradients=trained * FLOAT32 * (cost.gradient_buffers + buckets) / share,
        optimizer=stage.optimizer_recipe.num_state_values(stage) * FLOAT32 / share,
        activations=activation_bytes(parts, low),
    )


def activation_bytes(parts: Sequence[Part], low: int, *, checkpointing: bool | None = None) -> float:
    """Bytes that a forward pass keeps for the backward pass, with that pass's working memory.

    Args:
        parts: of the stage, with what all rows that pass through the model together hold.
        low: bytes of an input of matrix products.
        checkpointing: of the parts that can be computed again; None as they say.
    """
    if checkpointing is not None:
        parts = [
            part if part.checkpointing is None else part._replace(checkpointing=checkpointing)
            for part in parts
        ]
    # A block that is computed again is there whole while its own backward pass works.
    again = sum(part.widest_block_bytes(low) for part in parts if part.checkpointing)
    working = max((part.widest_block_bytes(low) for part in parts), default=0.0)
    return sum(part.kept_bytes(low) for part in parts) + again + working
