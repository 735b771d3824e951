"""The seed of the batches of a run, which may differ from that of its weights and splits."""

from typing import Annotated

from omegaconf import DictConfig
from pydantic import Field

from lifecode.app.configs.construct import checked_value

SEED = Annotated[int, Field(ge=0, lt=2**32)]
SEED_OR_NONE = Annotated[int | None, Field(ge=0, lt=2**32)]


def seed_of_batches(config: DictConfig) -> int:
    """The seed of the order, windows, strands and masks of a run's batches."""
    own = checked_value(config, "data.batch_seed", SEED_OR_NONE)
    return checked_value(config, "seed", int) if own is None else own
