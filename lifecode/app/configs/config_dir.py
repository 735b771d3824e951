"""What a folder given by --config-dir may say. It may come from a stranger, so it runs no code.

Hydra itself builds callbacks, launchers and log handlers, sets environment variables and imports packages
that a config names. Every config that it composes, of each job of a sweep too, is looked at before anything
is done with it: in what concerns Hydra it must be what it would be without the folder.
"""

import re
from collections.abc import Iterator, Mapping, Sequence, Set
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any, NoReturn

import hydra._internal.hydra as hydra_application
from hydra._internal.config_loader_impl import ConfigLoaderImpl
from omegaconf import DictConfig, OmegaConf
from omegaconf.basecontainer import BaseContainer
from omegaconf.errors import OmegaConfBaseException

from lifecode.app.configs.config_loader import ConfigLoader
from lifecode.app.configs.configurable import is_our_logger, is_ours
from lifecode.app.configs.construct import locate
from lifecode.app.configs.expected_config import (
    OF_LIGHTNING,
    REMEDY,
    ExpectedConfig,
    leaves_of_lightning,
    raw_config,
)
from lifecode.app.configs.plain_configs import PlainRepository, require_few_jobs
from lifecode.app.configs.plugins import KEY as PLUGINS
from lifecode.app.configs.renamed import todays_overrides
from lifecode.app.configs.unread_keys import require_read
from lifecode.app.provenance import split_overrides
from lifecode.errors import UserError
from lifecode.training.run.run_folder import config_leaves, module_name

_FREE = ("hydra.sweeper.params.", "hydra.help.", "hydra.hydra_help.", "hydra.runtime.choices.")
"""Of Hydra's settings those that are words; a sweep's values are checked job by job."""
_FILLED_IN = frozenset(
    {
        *("hydra.mode", "hydra.job.name", "hydra.job.config_name", "hydra.job.override_dirname"),
        *("hydra.overrides.hydra", "hydra.overrides.task"),  # compared with those that were given
        *(f"hydra.runtime.{key}" for key in ("version", "version_base", "cwd", "config_sources")),
    }
)
"""What Hydra sets itself, whatever a config says."""
_OF_THE_VERB = re.compile(r"\$\{(?!hydra[.:]|now:)")
"""An interpolation of what is not Hydra's own."""


@contextmanager
def configs_checked(
    folder: str | None, *, own_folder: Path, config_name: str, overrides: Sequence[str]
) -> Iterator[None]:
    """Hydra composes configs inside as `ConfigLoader` does, and checks each if there is such a folder.

    Args:
        folder: of `--config-dir`.
        own_folder: of the configs of the package.
        config_name: of the verb.
        overrides: of the command line.

    Raises:
        UserError: the folder takes the place of the verb's own config.
    """
    loader: Any = ConfigLoader
    if folder is not None:
        for own in Path(folder).glob(f"{config_name}.y*ml"):
            raise UserError(
                "would take the place of the verb's own config",
                source=own,
                remedy="Make it an experiment: experiment/NAME.yaml, for experiment=NAME",
            )
        expected = ExpectedConfig(str(own_folder), config_name, tuple(overrides))
        loader = partial(_CheckedLoader, expected=expected)
    resolvers = _resolvers()
    hydra_application.ConfigLoaderImpl = loader
    try:
        yield
    finally:
        hydra_application.ConfigLoaderImpl = ConfigLoaderImpl
        BaseContainer._resolvers.update(resolvers)


class _CheckedLoader(ConfigLoader):
    """Hydra's, with a look at every config; it travels to the processes of a sweep."""

    def __init__(self, config_search_path: Any, *, expected: ExpectedConfig) -> None:
        super().__init__(config_search_path)
        self.repository = PlainRepository(config_search_path)
        self.expected = expected
        _without_resolvers()

    def __setstate__(self, state: dict[str, Any]) -> None:
        vars(self).update(state)
        _without_resolvers()

    def load_configuration(
        self, config_name: str | None, overrides: list[str], *arguments: Any, **named: Any
    ) -> DictConfig:
        """As Hydra's.

        Raises:
            UserError: the folder says what it may not.
        """
        try:
            config = super().load_configuration(config_name, overrides, *arguments, **named)
            self._check(config, todays_overrides(config_name, overrides))
            return config
        except RecursionError as error:
            raise UserError("includes itself, or is nested too deeply", source="--config-dir") from error
        except (ValueError, TypeError, LookupError, AttributeError, AssertionError) as error:
            if isinstance(error, UserError):
                raise
            problem = " ".join(str(error).split())
            raise UserError(f"a config cannot be composed: {problem}", source="--config-dir") from error

    def _check(self, config: DictConfig, overrides: Sequence[str]) -> None:
        _require_same_overrides(config, overrides)
        _require_same_hydra(config, self.expected.hydra)
        _require_words(config, self.expected.hydra)
        raw = {key: value for key, value in raw_config(config).items() if key != "hydra"}
        if any(entry not in self.expected.plugins for entry in _listed(raw.get(PLUGINS))):
            _refuse(PLUGINS, raw[PLUGINS])
        _require_known_targets(raw, "", {module_name(entry) for entry in self.expected.plugins})
        _require_no_foreign_code(raw, overrides)
        if "logger" in raw:
            found = config_leaves(raw["logger"])
            _require_same(found, self.expected.logger(config.hydra.runtime.choices.get("logger")), "logger.")
        if found := leaves_of_lightning(raw):
            _require_same(found, self.expected.of_lightning(config.hydra.runtime.choices))
        require_read(raw, self.expected.known, overrides)


def _require_same_hydra(config: DictConfig, expected: DictConfig) -> None:
    found, ours = (config_leaves({"hydra": raw_config(one)["hydra"]}) for one in (config, expected))
    found, ours = ({k: v for k, v in one.items() if not _is_free(k)} for one in (found, ours))
    _require_same(found, ours)
    for key, value in ours.items():
        # A number may be the folder's, as of the processes of a job; a text could be a line of a script.
        if isinstance(value, str) and _OF_THE_VERB.search(value):
            given, usual = (_resolved(one, key) for one in (config, expected))
            if given != usual and not isinstance(given, int | float | None):
                _refuse(key, given)


def _require_same_overrides(config: DictConfig, overrides: Sequence[str]) -> None:
    """Hydra adds what is given to what a config holds, and would give all of it to the jobs of a sweep."""
    found = raw_config(config)["hydra"]["overrides"]
    for key, given in zip(("hydra", "task"), split_overrides(overrides), strict=True):
        if found[key] != given:
            _refuse(f"hydra.overrides.{key}", found[key])


def _require_words(config: DictConfig, expected: DictConfig) -> None:
    """Hydra builds the sweeper, and with it whatever a value of its parameters names as a `_target_`."""
    for name in ("sweeper.params", "runtime.choices"):
        found, ours = (_at(raw_config(one)["hydra"], name) for one in (config, expected))
        if not isinstance(found, Mapping | None):
            _refuse(f"hydra.{name}", found)
        for key, value in (found or {}).items():
            own = (ours or {}).get(key, found) == value
            words = value if isinstance(value, list) else [value]
            if not own and (
                any(isinstance(word, Mapping | list) or "${" in str(word) for word in words)
                or str(key).startswith("_")
            ):
                _refuse(f"hydra.{name}.{key}", value)
    params = [_at(raw_config(one)["hydra"], "sweeper.params") for one in (config, expected)]
    if params[0] != params[1]:
        require_few_jobs(params[0] or {})


def _at(node: Any, name: str) -> Any:
    for key in name.split("."):
        node = node.get(key) if isinstance(node, Mapping) else None
    return node


def _require_same(found: Mapping[str, Any], expected: Mapping[str, Any], prefix: str = "") -> None:
    for key in [*sorted(found), *sorted(expected)]:
        if found.get(key, expected) != expected.get(key, expected):  # which no leaf is
            _refuse(f"{prefix}{key}", found.get(key))


def _require_known_targets(node: Any, key: str, plugins: Set[str]) -> None:
    """Of the whole tree; a list's items too. What a plugin holds is known once a job has imported it."""
    if isinstance(node, Mapping):
        for name, value in node.items():
            inner = f"{key}.{name}" if key else str(name)
            if inner in OF_LIGHTNING:  # compared with ours
                continue
            own = str(value).partition(".")[0] in plugins
            if name == "_target_" and not own:
                target = locate(value, inner)
                if not (is_ours(target) or is_our_logger(target)):
                    _refuse(inner, value)
            _require_known_targets(value, inner, plugins)
    elif isinstance(node, Sequence) and not isinstance(node, str):
        for index, value in enumerate(node):
            _require_known_targets(value, f"{key}[{index}]", plugins)


def _require_no_foreign_code(raw: Mapping[str, Any], overrides: Sequence[str]) -> None:
    """transformers runs what comes with a model where it is trusted, which only the command line may say."""
    given = {override.lstrip("+").partition("=")[0] for override in overrides}
    for key, value in config_leaves(raw).items():
        if key.rpartition(".")[2] == "trust_remote_code" and value is not False and key not in given:
            _refuse(key, value)


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [] if value is None else [value]


def _refuse(key: str, value: Any) -> NoReturn:
    raise UserError(f"a folder may not set this ({value!r})", source=key, remedy=REMEDY)


def _is_free(key: str) -> bool:
    return f"{key}.".startswith(_FREE) or key in _FILLED_IN


def _resolved(config: DictConfig, key: str) -> Any:
    try:
        return OmegaConf.select(config, key)
    except OmegaConfBaseException:  # known once a job runs
        return None


def _without_resolvers() -> None:
    """OmegaConf's read the environment, passwords too, and make a `_target_` that stands in no config."""

    def refuse(name: str, *_: Any) -> NoReturn:
        raise UserError(f"a folder may not use ${{{name}:...}}", source="--config-dir", remedy=REMEDY)

    for name in _resolvers():
        OmegaConf.register_new_resolver(name, partial(refuse, name), replace=True)


def _resolvers() -> dict[str, Any]:
    return {name: one for name, one in BaseContainer._resolvers.items() if name.startswith("oc.")}
