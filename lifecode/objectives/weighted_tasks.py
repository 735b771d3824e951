"""A plain weighted sum of mean losses, each task with a weight of its own."""

from collections import Counter
from collections.abc import Sequence
from typing import Any

from lifecode.errors import UserError
from lifecode.objectives.weighted_sum import WeightedSum


class WeightedTasks(WeightedSum):
    """Sum of weight x mean loss over the tasks that have positions.

    Args:
        weights: of every task, by its name.
    """

    def __init__(self, weights: dict[str, float]) -> None:
        self.of_task = dict(weights)
        self.require_some()

    @property
    def config(self) -> dict[str, Any]:
        """The arguments it was made with."""
        return {"weights": dict(self.of_task)}

    @property
    def description(self) -> str:
        """Its name, and how many tasks have which weight."""
        counts = Counter(self.of_task.values())
        return f"weighted_tasks, {', '.join(f'{n} x {weight:g}' for weight, n in counts.items())}"

    def require_weight(self, tasks: Sequence[str]) -> None:
        """Each task must have a weight, and one a positive one; see `JointObjective.require_weight`."""
        if missing := [name for name in tasks if name not in self.of_task]:
            raise UserError(f"has no weight for {missing[0]}", source="weights", remedy="Give it, or 0")
        super().require_weight(tasks)
