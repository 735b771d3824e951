"""The config that a command line would give."""

from hydra import compose as hydra_compose
from hydra import initialize_config_dir
from omegaconf import DictConfig

from lifecode.commands.locate_config import config_folder


def compose(verb: str, *overrides: str) -> DictConfig:
    """`conf/VERB.yaml` with overrides."""
    with initialize_config_dir(str(config_folder()), version_base="1.3"):
        return hydra_compose(verb, list(overrides))
