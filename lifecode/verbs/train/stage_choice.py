"""Which of its stages a run trains: the key `stage`."""

from typing import Literal

from omegaconf import DictConfig

from lifecode.app.configs.construct import checked_value

StageChoice = Literal["tokenizer", "encoder", "both"]


def stage_choice(config: DictConfig) -> StageChoice:
    """The value of the key, checked."""
    return checked_value(config, "stage", StageChoice)
