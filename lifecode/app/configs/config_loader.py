"""Hydra's loader of configs, which takes the words of before too."""

from typing import Any

from hydra._internal.config_loader_impl import ConfigLoaderImpl
from omegaconf import DictConfig, OmegaConf, read_write

from lifecode.app.configs.renamed import todays_overrides, todays_params


class ConfigLoader(ConfigLoaderImpl):
    """As Hydra's, for the overrides of a command line, of each job of a sweep, and of a config's sweep."""

    def load_configuration(
        self, config_name: str | None, overrides: list[str], *arguments: Any, **named: Any
    ) -> DictConfig:
        """As Hydra's."""
        today = todays_overrides(config_name, overrides)
        config = super().load_configuration(config_name, today, *arguments, **named)
        sweeper: Any = OmegaConf.to_container(config.hydra, resolve=False)["sweeper"]
        params = sweeper.get("params") if isinstance(sweeper, dict) else None
        if isinstance(params, dict) and (today := todays_params(config_name, params)) != params:
            with read_write(config.hydra.sweeper):
                config.hydra.sweeper.params = today
        return config
