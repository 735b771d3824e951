"""The verbs from Python: compose the config that a command line would give, change it, run it.

>>> import lifecode
>>> config = lifecode.compose("train", "experiment=quickstart", "model.width=64")
>>> config.optim.encoder.total_steps = 20
>>> run = lifecode.run(config)  # doctest: +SKIP
"""

from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from threading import Lock
from typing import Any, overload

from hydra._internal.utils import create_config_search_path
from hydra.core.singleton import Singleton
from hydra.core.utils import JobRuntime
from hydra.types import RunMode
from hydra.version import VersionBase, setbase
from omegaconf import DictConfig, open_dict

from lifecode.app.configs.config_loader import ConfigLoader
from lifecode.app.configs.locate_config import config_folder
from lifecode.app.configs.plugins import ask_in_python, within_reach
from lifecode.app.configs.required_values import require_values
from lifecode.app.explain import explain
from lifecode.app.main import VERBS, Verb
from lifecode.app.verb_help import config_name, require_options
from lifecode.arguments import arguments_checked
from lifecode.errors import UserError
from lifecode.host.safe_path import safe_children

_ONE_AT_A_TIME = Lock()


@arguments_checked
def compose(verb: str, *overrides: str) -> DictConfig:
    """The config of `lifecode VERB OVERRIDES`, free to be changed.

    Args:
        verb: its name, such as `train`.
        overrides: as on the command line, each a text: `"experiment=quickstart"`.

    Raises:
        UserError: there is no such verb or key, or a value that the config does not know.
    """
    _known(verb)
    require_options(verb, config_folder(), overrides)
    try:
        with _beside_another_hydra():
            loader = ConfigLoader(create_config_search_path(str(config_folder())))
            config = loader.load_configuration(
                config_name(verb), list(overrides), RunMode.RUN, from_shell=False
            )
        ask_in_python(overrides)
        with open_dict(config):
            del config["hydra"]
        return config
    except Exception as error:
        line = explain(error, verb)
        if line is None:
            raise
        raise UserError(line) from error


@overload
def run(verb: DictConfig) -> Any: ...
@overload
def run(verb: str, config: DictConfig) -> Any: ...
@arguments_checked
def run(verb: str | DictConfig, config: DictConfig | None = None) -> Any:
    """Does what `lifecode VERB` does with a config, and prints what it prints.

    Args:
        verb: name of the verb; `train` if a config is given alone.
        config: as from `compose`.

    Returns:
        What the function of the verb returns: for `train` the `TrainingRun`, or a plan where `plan=true`.

    Raises:
        UserError: a value does not fit, what it names cannot be read, or it has `plugins` that no
            `compose` of this program was given.
        Interrupted: stopped; run with the same config, it goes on.
    """
    if isinstance(verb, DictConfig):
        verb, config = "train", verb
    module = _known(verb).module
    if not isinstance(config, DictConfig):
        raise UserError("there is no config to run", remedy=f"Give lifecode.compose({verb!r}, ...)")
    require_values(config, verb)
    with safe_children(), within_reach(config):
        return import_module(module).run(config)


@contextmanager
def _beside_another_hydra() -> Iterator[None]:
    """What Hydra keeps once a process is that of the program that called, which may run a job of its own."""
    with _ONE_AT_A_TIME:
        of_the_process = Singleton._instances
        before = {kind: of_the_process.pop(kind, None) for kind in (VersionBase, JobRuntime)}
        try:
            setbase("1.3")
            JobRuntime.instance().set("name", "lifecode")
            yield
        finally:
            for kind, instance in before.items():
                of_the_process.pop(kind, None)
                if instance is not None:
                    of_the_process[kind] = instance


def _known(verb: str) -> Verb:
    if verb not in VERBS:
        raise UserError(f"there is no verb {verb!r}", remedy=f"The verbs are {', '.join(VERBS)}")
    return VERBS[verb]
