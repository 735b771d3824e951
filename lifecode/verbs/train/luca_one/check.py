"""Whether the values of a run of LucaOne fit, asked before anything is written."""

from typing import Annotated

from omegaconf import DictConfig, OmegaConf
from pydantic import Field

from lifecode.app.configs.construct import checked_value, construct
from lifecode.datasets.luca_one.rows import COORDINATES
from lifecode.datasets.luca_one.stream import TokenShape
from lifecode.errors import UserError
from lifecode.training.trainer import TrainerSettings
from lifecode.verbs.train.loggers import check_loggers
from lifecode.verbs.train.luca_one.initial_weights import model_to_begin_with
from lifecode.verbs.train.luca_one.letter_stage import stage_without_memory
from lifecode.verbs.train.luca_one.row_data import longest_row
from lifecode.verbs.train.seed_of_batches import seed_of_batches
from lifecode.verbs.train.stage_choice import stage_choice

_AXES = 3
_LACKS = {
    "teacher.model": "has no teacher",
    "tokenizer_checkpoint": "has no tokenizer to train",
}
"""Keys of Life-Code that a LucaOne run must leave at null, and why."""


def check(config: DictConfig) -> None:
    """Builds every part without memory, so that a wrong value is found before anything is written."""
    if OmegaConf.select(config, "pretraining") is None:
        raise UserError(
            "a model of family luca_one learns from labelled rows, and pretraining is null",
            source="pretraining",
            remedy="Add pretraining=luca_one, or choose experiment=lucaone_quickstart",
        )
    if stage_choice(config) == "tokenizer":
        raise UserError("a model of family luca_one has one stage", source="stage", remedy="Leave it out")
    for key, lack in _LACKS.items():
        if OmegaConf.select(config, key) is not None:
            raise UserError(f"a model of family luca_one {lack}", source=key, remedy="Leave it out")
    stage = stage_without_memory(config)
    model_to_begin_with(config)
    head = stage.model.config["heads"].get(COORDINATES)
    if head is not None and head["classes"] != _AXES:
        raise UserError(
            f"is {head['classes']}, and coordinates have {_AXES} axes",
            source=f"model.heads.{COORDINATES}.classes",
        )
    for node in (config.data.split, config.pretraining.rows, config.pretraining.masking):
        construct(node)
    construct(config.data.reading, seed=0)
    longest_row(config, stage.model)
    checked_value(config, "data.validation_steps", int)
    seed_of_batches(config)
    most_test_rows(config)
    stage.objective.require_weight(stage.tasks)
    settings: TrainerSettings = construct(config.trainer, compile=False)
    shape: TokenShape = construct(config.pretraining.batch)
    shape.rows_together(settings.num_processes)
    check_loggers(config)


def most_test_rows(config: DictConfig) -> int | None:
    """Rows of the test split that are evaluated, at most; None for all."""
    return checked_value(config, "pretraining.max_test_rows", Annotated[int | None, Field(ge=1)])
