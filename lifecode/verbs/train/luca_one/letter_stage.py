"""The stage of a run of LucaOne, as its config says."""

import torch
from omegaconf import DictConfig

from lifecode.app.configs.construct import checked_value, construct
from lifecode.models.luca_one.model import LucaOne
from lifecode.training.stages.letter_stage import LetterStage


def stage_of(config: DictConfig, model: LucaOne) -> LetterStage:
    """What trains a model, by the objective and optimizer of the run."""
    return LetterStage(
        model,
        objective=construct(config.pretraining.joint),
        optimizer=construct(config.optim.encoder),
        task_gradients_every_steps=checked_value(config, "objective.task_gradients_every_steps", int),
        seed=checked_value(config, "seed", int),
    )


def stage_without_memory(config: DictConfig) -> LetterStage:
    """The same without memory for weights: to plan it, or to check its values."""
    with torch.device("meta"):
        return stage_of(config, construct(config.model))
