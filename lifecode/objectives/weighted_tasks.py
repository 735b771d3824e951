"""A plain weighted sum of mean losses, each task with a weight of its own."""

from collections import Counter
from typing import Any

from lifecode.errors import UserError
from lifecode.objectives.weighted_sum import WeightedSum


class WeightedTasks(WeightedSum):
    """Sum of weight x mean loss over the tasks that have positions.

    Args:
        weights: of tasks by name, 1 of one that is not named.
    """

    def __init__(self, weights: dict[str, float]) -> None:
        self.of_task = _Weights(weights)
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

    def require_some(self) -> None:
        """Raises a `UserError` where a weight is negative."""
        for name, weight in self.of_task.items():
            if weight < 0:
                raise UserError(f"is {weight:g}, expected 0 or more", source=f"weights.{name}")


class _Weights(dict[str, float]):
    def __missing__(self, name: str) -> float:
        return 1.0
