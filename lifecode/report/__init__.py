"""Pages that say what was read, trained, compared."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from lifecode.report.charts.codons.codon_map import codon_map_in_code
    from lifecode.report.charts.codons.codon_usage_chart import codon_usage_chart
    from lifecode.report.charts.figure_style import FigureColours, use_colours

__all__ = ["FigureColours", "codon_map_in_code", "codon_usage_chart", "use_colours"]
_HOMES = {
    "FigureColours": "charts.figure_style",
    "codon_map_in_code": "charts.codons.codon_map",
    "codon_usage_chart": "charts.codons.codon_usage_chart",
    "use_colours": "charts.figure_style",
}


def __getattr__(name: str) -> Any:
    """Imports what is asked for at its first use."""
    if name in _HOMES:
        return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
