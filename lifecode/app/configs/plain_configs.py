"""The files of a folder given by --config-dir, which may be a stranger's: plain YAML, read in a moment."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml
from hydra._internal.config_repository import ConfigRepository
from hydra._internal.core_plugins.file_config_source import FileConfigSource
from hydra.core.config_search_path import ConfigSearchPath
from hydra.core.default_element import GroupDefault
from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.override_parser.types import ChoiceSweep, Override, RangeSweep
from hydra.plugins.config_source import ConfigResult

from lifecode.app.configs.renamed import place_before, todays_group
from lifecode.errors import UserError
from lifecode.host.small_file import read_small_text
from lifecode.training.run.run_config import require_plain

_MOST_BYTES, _MOST_JOBS = 1 << 20, 10_000
_MAPPING_OR_EMPTY = ("tag:yaml.org,2002:map", "tag:yaml.org,2002:null")


class PlainRepository(ConfigRepository):
    """Hydra's, which reads the folder of --config-dir with care."""

    def initialize_sources(self, config_search_path: ConfigSearchPath) -> None:
        """As Hydra's."""
        super().initialize_sources(config_search_path)
        self.sources = [
            _PlainFiles(source.provider, source.path) if source.provider == "command-line" else source
            for source in self.sources
        ]

    def load_config(self, config_path: str) -> ConfigResult | None:
        """As Hydra's; a defaults list may have the words of before."""
        config = super().load_config(config_path)
        for default in (config.defaults_list if config else None) or ():
            if isinstance(default, GroupDefault) and isinstance(default.value, str):
                default.group = todays_group(str(default.group), default.value)
        return config


class _PlainFiles(FileConfigSource):
    def is_config(self, config_path: str) -> bool:
        return super().is_config(self._place(config_path))

    def _place(self, config_path: str) -> str:
        """Where it is, which may be the folder of a group's former name."""
        before = place_before(config_path)
        moved = before is not None and not super().is_config(config_path) and super().is_config(before)
        return before if moved and before else config_path

    def load_config(self, config_path: str) -> ConfigResult:
        config_path = self._place(config_path)
        path = Path(self.path, self._normalize_file_name(config_path))
        try:
            text = read_small_text(path, _MOST_BYTES)
            require_plain(text)
            root = yaml.compose(text, yaml.SafeLoader)
            if root is not None and root.tag not in _MAPPING_OR_EMPTY:
                raise ValueError("no mapping")
        except yaml.YAMLError as fault:
            problem = getattr(fault, "problem", None) or "unreadable"
            raise UserError(f"no YAML: {problem}", source=path) from fault
        except (OSError, ValueError, RecursionError) as fault:
            raise UserError(f"cannot be a config: {fault}", source=path) from fault
        return super().load_config(config_path)


def require_few_jobs(params: Mapping[str, Any]) -> None:
    """Of a sweep.

    Args:
        params: `hydra.sweeper.params`, without interpolations.

    Raises:
        UserError: their values make more than `_MOST_JOBS` jobs.
    """
    parser, jobs = OverridesParser.create(), 1.0
    for key, values in params.items():
        override = parser.parse_override(f"{key}={values}")
        if override.is_discrete_sweep():
            jobs *= max(_count(override), 1)
        if not jobs <= _MOST_JOBS:  # nor NaN
            raise UserError(f"makes more than {_MOST_JOBS:,} jobs", source=f"hydra.sweeper.params.{key}")


def _count(override: Override) -> float:
    value = override.value()
    if isinstance(value, RangeSweep):  # whose values may be more than any memory holds
        try:
            start, stop, step = (float(number or 0) for number in (value.start, value.stop, value.step))
            return (stop - start) / step
        except ArithmeticError:  # a step of 0, or a number that no float holds
            return float("inf")
    return len(value.list) if isinstance(value, ChoiceSweep) else 1
