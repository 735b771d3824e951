"""The table of a task on the terminal: every model a row."""

from collections.abc import Mapping
from typing import Any

from rich.table import Table

from lifecode.evaluation.metrics import metric_named
from lifecode.names import display_name


def comparison(metrics: Mapping[str, Any]) -> Table:
    """Every model a row: mean and deviation of the metric of the task, and the paired difference to ours.

    Args:
        metrics: as metrics.json has them.
    """
    name = metrics["metric"]
    table = Table(title=f"{metric_named(name).label}, {metrics['split']['kind']}", title_justify="left")
    for heading in ("model", name, "ours minus it (95 %)"):
        table.add_column(heading)
    for model, figures in {metrics["encoder"]: metrics["test"], **metrics["baselines"]}.items():
        figure = figures[name]
        spread = "" if figure["sd"] is None else f" ± {figure['sd']:.3f}"
        difference = _interval(metrics.get("differences", {}).get(model))
        table.add_row(display_name(model), f"{figure['mean']:.3f}{spread}", difference)
    for model, figures in metrics["published"].items():
        table.add_row(
            f"{display_name(model)} (published)", f"{figures[name]:.3f}" if name in figures else "", ""
        )
    return table


def _interval(difference: Mapping[str, float] | None) -> str:
    if difference is None:
        return ""
    return f"{difference['mean']:+.3f} ({difference['low']:+.3f} to {difference['high']:+.3f})"
