"""What one optimizer step of a joint objective costs beside the cheapest one: passes and memory."""

from typing import NamedTuple


class StepCost(NamedTuple):
    """Passes and gradient memory of one optimizer step of one process.

    A pass is counted once for every micro-batch that it reads; so with 4 micro-batches the cheapest step has
    4 forward passes with gradient, 4 backward passes and 1 gradient buffer.

    Attributes:
        forwards_without_gradient: forward passes that only measure losses and keep no activations.
        forwards_with_gradient: forward passes that keep what the backward pass needs.
        backwards: backward passes.
        gradient_buffers: tensors of the size of all trainable parameters held at once, `.grad` among them.
    """

    forwards_without_gradient: int
    forwards_with_gradient: int
    backwards: int
    gradient_buffers: int

    @property
    def forwards(self) -> int:
        """Forward passes, with and without gradient."""
        return self.forwards_without_gradient + self.forwards_with_gradient


def one_pass(num_micro_batches: int) -> StepCost:
    """The cheapest step: every micro-batch forward and backward once."""
    return StepCost(0, num_micro_batches, num_micro_batches, gradient_buffers=1)


def pass_per_task(num_micro_batches: int, num_tasks: int) -> StepCost:
    """Each task alone forward and backward over the step, as measuring its gradient's norm needs.

    What `objective.task_gradients_every_steps` adds to one step in so many, through the same `.grad`.
    """
    passes = num_micro_batches * num_tasks
    return StepCost(0, passes, passes, gradient_buffers=1)
