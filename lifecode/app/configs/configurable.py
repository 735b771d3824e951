"""The classes that a `_target_` may name: those that the configs of the package name themselves.

A config may come from a stranger, so this is a list and not a rule: a public function or class of ours may
well write, delete or start a process. The list is `conf/`: what a file of it names is open to every config.
"""

import inspect
import re
from functools import cache
from importlib import import_module

from lifecode.app.configs.locate_config import config_folder

PACKAGES = (
    "torch.optim",
    "lightning.pytorch.callbacks",
    "lightning.pytorch.loggers",
    "lightning.pytorch.profilers",
    "lightning.pytorch.trainer.trainer",
)
"""Whose classes, and no functions, a command line may name besides."""
_OURS, _LOGGERS = "lifecode.", "lightning.pytorch.loggers."
_TARGET = re.compile(r"^[ -]*_target_: *([\w.]+)", re.MULTILINE)


@cache
def names_in_configs() -> frozenset[str]:
    """Every `_target_` of `conf/`."""
    files = config_folder().rglob("*.yaml")
    return frozenset(name for file in files for name in _TARGET.findall(file.read_text(encoding="utf-8")))


def is_ours(target: object) -> bool:
    """Whether `conf/` names this class of ours, whatever path a config takes to it."""
    return _is_named(target, _OURS)


def is_our_logger(target: object) -> bool:
    """Whether `conf/logger` names this."""
    return _is_named(target, _LOGGERS)


def is_configurable(target: object) -> bool:
    """Whether a `_target_` may name this."""
    home = target.__module__ if inspect.isclass(target) else ""
    return is_ours(target) or f"{home}.".startswith(tuple(f"{package}." for package in PACKAGES))


def _is_named(target: object, prefix: str) -> bool:
    if not inspect.isclass(target):
        return False
    alike = (name.rpartition(".") for name in sorted(names_in_configs()) if name.startswith(prefix))
    return any(
        getattr(import_module(package), word) is target
        for package, _, word in alike
        if word == target.__name__
    )
