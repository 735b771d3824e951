"""Objectives: what each task measures and how the tasks are joined."""

from lifecode.objectives.cost import StepCost
from lifecode.objectives.distillation import DistillationLoss
from lifecode.objectives.log_sum import LogSum
from lifecode.objectives.loss import Loss

__all__ = ["DistillationLoss", "LogSum", "Loss", "StepCost"]
