"""The verbs from Python: compose the config that a command line would give, change it, run it.

>>> import lifecode
>>> config = lifecode.compose("train", "experiment=quickstart", "model.width=64")
>>> config.optim.encoder.total_steps = 20
>>> lifecode.run("train", config)  # doctest: +SKIP
"""

from importlib import import_module

from hydra import compose as hydra_compose
from hydra import initialize_config_dir
from omegaconf import DictConfig

from lifecode.commands.construct import require_values
from lifecode.commands.explain import explain
from lifecode.commands.locate_config import config_folder
from lifecode.commands.main import VERBS, Verb
from lifecode.commands.verb_help import config_name
from lifecode.errors import UserError


def compose(verb: str, *overrides: str) -> DictConfig:
    """The config of `lifecode VERB OVERRIDES`, free to be changed.

    Raises:
        UserError: there is no such verb or key, or a value that the config does not know.
    """
    _known(verb)
    try:
        with initialize_config_dir(str(config_folder()), version_base="1.3"):
            return hydra_compose(config_name(verb), list(overrides))
    except Exception as error:
        line = explain(error, verb)
        if line is None:
            raise
        raise UserError(line) from error


def run(verb: str, config: DictConfig) -> None:
    """Does what `lifecode VERB` does with this config.

    Raises:
        UserError: a value does not fit, or what it names cannot be read.
        Interrupted: stopped; run with the same config, it goes on.
    """
    module = _known(verb).module
    require_values(config, verb)
    import_module(module).run(config)


def _known(verb: str) -> Verb:
    if verb not in VERBS:
        raise UserError(f"there is no verb {verb!r}", remedy=f"The verbs are {', '.join(VERBS)}")
    return VERBS[verb]
