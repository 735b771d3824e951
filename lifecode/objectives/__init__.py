"""Objectives: what each task measures and how the tasks are joined."""

from lifecode.objectives.cost import StepCost
from lifecode.objectives.distillation import DistillationLoss
from lifecode.objectives.joint import JointObjective
from lifecode.objectives.log_sum import LogSum
from lifecode.objectives.loss import Loss
from lifecode.objectives.max_norm import MaxNorm
from lifecode.objectives.weighted_sum import WeightedSum
from lifecode.objectives.weighted_tasks import WeightedTasks

__all__ = [
    "DistillationLoss",
    "JointObjective",
    "LogSum",
    "Loss",
    "MaxNorm",
    "StepCost",
    "WeightedSum",
    "WeightedTasks",
]
