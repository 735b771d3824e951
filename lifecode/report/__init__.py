"""Pages that say what was read, trained, compared."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from lifecode.report.charts.figure_style import FigureColours

__all__ = ["FigureColours"]
_HOMES = {"FigureColours": "charts.figure_style"}


def __getattr__(name: str) -> Any:
    """Imports what is asked for at its first use."""
    if name in _HOMES:
        return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
