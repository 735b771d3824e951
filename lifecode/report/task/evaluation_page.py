"""The page of a suite: a line for each set, and a link to the page of each."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import quote

from lifecode.evaluation.metrics import metric_named
from lifecode.host.installed import installed_versions
from lifecode.names import display_name
from lifecode.report.charts.figure_style import plain_settings
from lifecode.report.charts.predictions.contest_charts import sets_of_a_suite
from lifecode.report.page import Drawing, write_page
from lifecode.report.task.page import PACKAGES

_BEST, _PUBLISHED = "best baseline", "best published"


class _SetLine(NamedTuple):
    """A set: its name, a link to its page, the metric, and a cell for each column."""

    name: str
    link: str
    metric: str
    cells: list[str]


@plain_settings
def write_evaluation_report(
    folder: Path, sets: Mapping[str, Mapping[str, Any]], left_out: Mapping[str, str], *, name: str
) -> Path:
    """Write `report.html` and a figure for each metric.

    Args:
        folder: of the evaluation; the page of a set is `sets/NAME/report.html`.
        sets: metrics by set: `metric`, `models`, `baselines`, `differences`, `published`.
        left_out: why sets are not in the table.
        name: title.

    Raises:
        UserError: the folder cannot be written to.
    """
    models = list(dict.fromkeys(model for found in sets.values() for model in found["models"]))
    columns = [*models, _BEST, _PUBLISHED]
    lines = [
        _SetLine(
            display_name(each),
            f"sets/{quote(each)}/report.html",
            metric_named(found["metric"]).label,
            [*(_of_model(found, model) for model in models), _best(found)[1], _published(found)[1]],
        )
        for each, found in sets.items()
    ]
    above = sum(_told_above(found, model) for found in sets.values() for model in models[:1])
    content = {
        "kind": "Evaluation",
        "name": display_name(name, 200),
        "verdict": f"{display_name(models[0])} is above every baseline in {above} of {len(sets)} sets"
        if models
        else "",
        "key_figures": [],
        "columns": [display_name(column) for column in columns],
        "lines": lines,
        "left_out": left_out,
        "warnings": {each: found["warnings"] for each, found in sets.items() if found["warnings"]},
        "versions": installed_versions(*PACKAGES),
    }
    return write_page(folder, "evaluation.html.jinja", content, _drawings(sets, models))


def _of_model(found: Mapping[str, Any], model: str) -> str:
    """The figure of a model, and below it that minus the best baseline's; nothing of a set it cannot read."""
    if model not in found["models"]:
        return ""
    figure = found["models"][model][found["metric"]]
    spread = "" if figure["sd"] is None else f" ± {figure['sd']:.3f}"
    differences = found["differences"].get(model, {})
    best = _best(found)[0]
    told = differences.get(best)
    behind = f"\n{told['mean']:+.3f} ({told['low']:+.3f} to {told['high']:+.3f})" if told else ""
    return f"{figure['mean']:.3f}{spread}{behind}"


def _sign(found: Mapping[str, Any]) -> int:
    return -1 if metric_named(found["metric"]).higher_is_better is False else 1


def _best(found: Mapping[str, Any]) -> tuple[str | None, str, float | None]:
    """Name, cell and figure of the best baseline."""
    values = {name: figures[found["metric"]]["mean"] for name, figures in found["baselines"].items()}
    if not values:
        return None, "", None
    name = max(values, key=lambda each: _sign(found) * values[each])
    return name, f"{values[name]:.3f}\n{display_name(name)}", values[name]


def _published(found: Mapping[str, Any]) -> tuple[str | None, str, float | None]:
    metric = found["metric"]
    values = {name: each[metric] for name, each in found["published"].items() if metric in each}
    if not values:
        return None, "", None
    name = max(values, key=lambda each: _sign(found) * values[each])
    return name, f"{values[name]:.3f}\n{display_name(name)}, other rounds", values[name]


def _told_above(found: Mapping[str, Any], model: str) -> bool:
    """Whether the interval of the difference to every baseline leaves 0 below it."""
    each = found["differences"].get(model, {}).values()
    if _sign(found) > 0:
        return bool(each) and all(difference["low"] > 0 for difference in each)
    return bool(each) and all(difference["high"] < 0 for difference in each)


def _drawings(sets: Mapping[str, Mapping[str, Any]], models: Sequence[str]) -> dict[str, Drawing]:
    """A figure for each metric that sets are compared by."""
    drawings = {}
    for metric in dict.fromkeys(found["metric"] for found in sets.values()):
        own = {name: found for name, found in sets.items() if found["metric"] == metric}
        rows: dict[str, list[float | None]] = {
            _BEST: [_best(found)[2] for found in own.values()],
            _PUBLISHED: [_published(found)[2] for found in own.values()],
        }
        rows |= {
            model: [
                found["models"][model][metric]["mean"] if model in found["models"] else None
                for found in own.values()
            ]
            for model in models
        }
        rows = {name: values for name, values in rows.items() if any(value is not None for value in values)}
        roles = dict.fromkeys(rows, "model") | {_BEST: "baseline", _PUBLISHED: "published"}
        label = metric_named(metric).label
        drawings[metric] = Drawing(
            sets_of_a_suite(list(own), rows, roles, label),
            label,
            f"{label} by set: models, the best baseline, the best published figure",
        )
    return drawings
