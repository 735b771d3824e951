"""A plain weighted sum of mean losses, each task with a weight of its own."""

import difflib
import math
from collections import Counter
from collections.abc import Sequence
from typing import Any

from lifecode.datasets.luca_one.tasks import TASKS
from lifecode.errors import UserError
from lifecode.objectives.weighted_sum import WeightedSum

_KNOWN = ("mlm", "translation", "distillation", *TASKS)
"""Tasks of any stage of ours: a config names those of all, and a stage may have a part of them."""


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
        """Raises a `UserError` where a weight is negative or not finite."""
        for name, weight in self.of_task.items():
            if not 0 <= weight < math.inf:
                raise UserError(f"is {weight:g}, expected 0 or more", source=f"weights.{name}")

    def require_weight(self, tasks: Sequence[str]) -> None:
        """One of the tasks must weigh something, and every name be one of a task."""
        for name in self.of_task:
            if name not in tasks and name not in _KNOWN:
                near = difflib.get_close_matches(name, tasks, 1)
                raise UserError(
                    f"there is no task {name!r}",
                    source=f"weights.{name}",
                    remedy=f"Did you mean {near[0]}?" if near else f"There are {', '.join(tasks)}",
                )
        self._require_any(tasks)


class _Weights(dict[str, float]):
    def __missing__(self, name: str) -> float:
        return 1.0
