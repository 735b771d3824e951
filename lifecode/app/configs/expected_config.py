"""What a config would be by the package and the command line, without a folder of --config-dir."""

from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from typing import Any

from hydra._internal.utils import create_config_search_path
from hydra.errors import HydraException
from hydra.types import RunMode
from omegaconf import DictConfig, OmegaConf

from lifecode.app.configs.config_loader import ConfigLoader
from lifecode.app.configs.plugins import asked_for
from lifecode.app.configs.unread_keys import known_keys
from lifecode.errors import UserError
from lifecode.training.run.run_folder import config_leaves

OF_LIGHTNING = ("trainer.callbacks", "trainer.profiler")
"""Keys of what a trainer calls, which may write anywhere: ours, or the command line's."""
REMEDY = "Take it out of the folder of --config-dir; what you give on the command line is your own"


class ExpectedConfig:
    """What the package and the command line say, without the folder."""

    def __init__(self, own_folder: str, config_name: str, overrides: tuple[str, ...]) -> None:
        self.own_folder, self.config_name, self.overrides = own_folder, config_name, overrides
        self.plugins = list(asked_for(overrides))

    @cached_property
    def hydra(self) -> DictConfig:
        """Hydra's own settings, beside the rest of the verb's config."""
        return self._composed([line for line in self.overrides if _key(line).startswith("hydra")])

    @cached_property
    def known(self) -> frozenset[str]:
        """The keys that the verb reads, whatever is chosen."""
        return known_keys(self.config_name, Path(self.own_folder), raw_config(self._composed([])))

    def logger(self, option: str | None) -> Mapping[str, Any]:
        """The leaves of the loggers that ship, or are given on the command line."""
        own = [line for line in self.overrides if _key(line).startswith("logger.")]
        config = self._composed(([f"logger={option}"] if option else []) + own)
        return config_leaves(raw_config(config).get("logger"))

    def of_lightning(self, choices: Mapping[str, Any]) -> Mapping[str, Any]:
        """The leaves of the callbacks and the profiler that ship, or are given on the command line."""
        lines = [line for line in self.overrides if _key(line).startswith(OF_LIGHTNING)]
        for group in ("callbacks", "profiler"):
            own = [line for line in self.overrides if _key(line).partition("@")[0] == group]
            option = choices.get(group)  # None for a list of options
            lines = ([f"{group}={option}"] if isinstance(option, str) else own) + lines
        return leaves_of_lightning(raw_config(self._composed(lines)))

    def _composed(self, overrides: list[str]) -> DictConfig:
        loader = ConfigLoader(create_config_search_path(self.own_folder))
        try:
            return loader.load_configuration(
                self.config_name, overrides, RunMode.MULTIRUN, validate_sweep_overrides=False
            )
        except HydraException as error:
            raise UserError(
                f"only the command line and our own configs say this: {' '.join(overrides)}",
                source="--config-dir",
                remedy=REMEDY,
            ) from error


def leaves_of_lightning(raw: Mapping[str, Any]) -> dict[str, Any]:
    """The callbacks and the profiler of a trainer, leaf by leaf."""
    return {
        key: value
        for key, value in config_leaves({"trainer": raw.get("trainer")}).items()
        if key.startswith(OF_LIGHTNING)
    }


def raw_config(config: DictConfig) -> dict[str, Any]:
    """A config with its interpolations as they are written."""
    container: Any = OmegaConf.to_container(config, resolve=False)
    return container


def _key(override: str) -> str:
    return override.partition("=")[0].lstrip("+~")
