"""How a trained model does on genes that it never saw."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from lifecode.evaluation.masked_genes import HeldOut

__all__ = ["HeldOut"]
_HOMES = {"HeldOut": "masked_genes"}


def __getattr__(name: str) -> Any:
    """Imports what is asked for at its first use."""
    if name in _HOMES:
        return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
