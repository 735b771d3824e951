"""Whether the values of a `lifecode train` fit, asked before anything is written."""

from typing import Annotated

import torch
from omegaconf import DictConfig
from pydantic import Field

from lifecode.app.configs.construct import checked_value, construct
from lifecode.models.families import require_life_code
from lifecode.training.configured import STAGES, callbacks_of_stage
from lifecode.training.trainer import TrainerSettings
from lifecode.verbs.train.life_code.stage_without_memory import stage_without_memory
from lifecode.verbs.train.life_code.teacher import check_teacher_values
from lifecode.verbs.train.loggers import check_loggers
from lifecode.verbs.train.seed_of_batches import SEED, SEED_OR_NONE

_LOOSE_VALUES = {
    "seed": SEED,
    "data.batch_seed": SEED_OR_NONE,
    "data.reverse_complement": bool,
    "data.max_unknown_fraction": Annotated[float, Field(ge=0, le=1)],
    "data.validation_steps": Annotated[int, Field(ge=0)],
    "objective.freeze_tokenizer": bool,
    "objective.freeze_readout": bool,
    "objective.task_gradients_every_steps": Annotated[int, Field(ge=0)],
}
"""Keys that no constructor receives before the stage that needs them."""


def check_values(config: DictConfig) -> None:
    """Builds every part without memory, so that a wrong value is found before the first stage begins."""
    with torch.device("meta"):
        require_life_code(construct(config.model))
        construct(config.model, teacher_width=1)
        construct(config.kd, width=1)
    construct(config.engine)
    construct(config.figures)
    construct(config.data.reading, seed=0)
    for node in (config.data.split, config.data.batch, config.data.tokenizer_batch, config.data.mixture):
        construct(node)
    for node in (config.objective.joint, config.objective.masking):
        construct(node)
    for node in (config.optim.tokenizer, config.optim.encoder, config.heldout):
        construct(node)
    for key, kind in _LOOSE_VALUES.items():
        checked_value(config, key, kind)
    check_teacher_values(config)
    check_loggers(config)
    _check_callbacks(config)


def _check_callbacks(config: DictConfig) -> None:
    """That the figures of validation which callbacks monitor will be there, in stage 2 too."""
    settings: TrainerSettings = construct(config.trainer, compile=False)  # whose trial takes seconds
    width = None if config.teacher.model is None else 1
    for name in STAGES if settings.callbacks else ():
        stage = stage_without_memory(config, name, width)
        is_validated = settings.validates(stage.optimizer_recipe.total_steps, config.data.validation_steps)
        callbacks_of_stage(settings.callbacks, stage, is_validated=is_validated)
