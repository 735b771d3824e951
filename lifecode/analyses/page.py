"""The page of an analysis: how to read it, the plot, the table."""

from pathlib import Path

from lifecode.analyses.analysis import Analysed, Value
from lifecode.host.installed import installed_versions
from lifecode.names import display_name
from lifecode.report.charts.figure_style import plain_settings
from lifecode.report.page import write_page


@plain_settings
def write_analysis_page(found: Analysed, folder: Path, *, name: str) -> Path:
    """Write `report.html` and `figures/plot.png` into a folder; the same analysis, the same page.

    Raises:
        UserError: the folder cannot be written to.
    """
    content = {
        "kind": f"Analysis, {found.kind.replace('_', ' ')}",
        "name": display_name(name),
        "verdict": display_name(found.verdict, 200),
        "key_figures": [],
        "how_to_read": found.how_to_read,
        "notes": [display_name(note, 500) for note in found.notes],
        "headings": found.headings[1:],
        "rows": [
            {"label": display_name(row[0]), "explanation": "", "numbers": [shown(value) for value in row[1:]]}
            for row in found.rows
        ],
        "versions": installed_versions("lifecode", "scikit-learn", "torch"),
    }
    return write_page(folder, "analysis.html.jinja", content, {"plot": found.drawing})


def shown(value: Value) -> str:
    """A value as a table shows it."""
    if value is None:
        return "–"
    if type(value) is float:
        return f"{value:,.1f}" if abs(value) >= 100 else f"{value:.3f}"
    return f"{value:,}" if type(value) is int else display_name(value)
