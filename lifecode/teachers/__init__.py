"""Frozen protein encoders whose features a model may learn from."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from lifecode.teachers.base import ProteinTeacher
    from lifecode.teachers.esm2 import Esm2Teacher
    from lifecode.teachers.near import NearTeacher

__all__ = ["Esm2Teacher", "NearTeacher", "ProteinTeacher"]
_HOMES = {"Esm2Teacher": "esm2", "NearTeacher": "near", "ProteinTeacher": "base"}


def __getattr__(name: str) -> Any:
    """Imports what is asked for at its first use."""
    if name in _HOMES:
        return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
