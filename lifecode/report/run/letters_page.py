"""The page of LucaOne's pre-training: all of it stands in files of the run, so it can be made again."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from lifecode.datasets.luca_one.tasks import MASK_TASKS
from lifecode.evaluation.labelled_rows import CONSTANT, row_metrics
from lifecode.evaluation.metric_rows import MetricRow
from lifecode.evaluation.metrics import LEARNING_RATE, LETTERS_PER_SECOND
from lifecode.host.installed import installed_versions
from lifecode.names import display_name
from lifecode.report.charts.figure_style import plain_settings
from lifecode.report.charts.learning_curves import learning_curves
from lifecode.report.page import Drawing, write_page
from lifecode.report.run.census import model_parts, split_table
from lifecode.report.run.html import PACKAGES, key_figures, time_drawing
from lifecode.report.run.metric_table import Metrics, held_out_metrics, measured

_LOSSES = tuple(metric for metric in row_metrics() if metric.baselines[0].name.endswith(CONSTANT))
_MASKED = "_masked"
"""Ends the name of a mask's loss where the input was `[MASK]`: what the unigram is compared with."""


@plain_settings
def write_letters_report(
    folder: str | Path, metrics: Metrics, *, name: str, rows: Sequence[MetricRow] = (), config: str = ""
) -> Path:
    """Write `report.html` and `figures/*.png` into a run folder; what was not measured has no place in them.

    Args:
        folder: the run folder, shown as the place to load the model from.
        metrics: the content of `metrics.json`: `heldout`, `baselines`, `timing`, `data` (counts of each
            split), `model` (`parts` in parameters), `split`; each may be missing.
        name: of the run.
        rows: of `metrics.csv`.
        config: the resolved configuration as text.

    Returns:
        The path of `report.html`.

    Raises:
        UserError: if the folder cannot be written to.
    """
    folder = Path(folder)
    content = {
        "kind": "Training run",
        "name": display_name(name, 200),
        "model_folder": (folder / "model").as_posix(),
        "verdict": _verdict(metrics),
        "key_figures": key_figures(metrics, LETTERS_PER_SECOND),
        "held_out": held_out_metrics(metrics, row_metrics()),
        "of": ("rows", "Sequences"),
        "loader": "lifecode.load",
        "sources": [],
        "source_headings": (),
        "split": (metrics.get("split") or {}).get("name", "held-out"),
        "genes_left_out": 0,
        "counts": [],
        "splits": split_table({"splits": _rows_of_splits(metrics.get("data") or {})}),
        "teacher": None,
        "parts": model_parts(metrics.get("model") or {}),
        "config": config,
        "versions": installed_versions(*PACKAGES),
    }
    return write_page(folder, "report.html.jinja", content, _curves(metrics, rows) | time_drawing(metrics))


def _verdict(metrics: Metrics) -> str | None:
    """In how many tasks the loss is below that of the constant predictor."""
    pairs = [
        (value, known)
        for metric in _LOSSES
        if (value := measured(metrics, "heldout", metric.name)) is not None
        and (known := measured(metrics, "baselines", metric.baselines[0].name)) is not None
    ]
    if not pairs:
        return None
    below = sum(value < known for value, known in pairs)
    return f"Held-out loss below that of the best constant predictor in {below} of {len(pairs)} tasks"


def _curves(metrics: Metrics, rows: Sequence[MetricRow]) -> dict[str, Drawing]:
    """The loss of each task by step, that of the constant predictor beside it."""
    panels, references = {}, {}
    for metric in _LOSSES:
        is_mask = metric.name in MASK_TASKS
        name = metric.name + _MASKED if is_mask else metric.name
        unit = "" if metric.unit == "number" else f" ({metric.unit})"
        panels[name] = f"{metric.label}{', at [MASK]' if is_mask else ''}{unit}"
        known = measured(metrics, "baselines", metric.baselines[0].name)
        if known is not None:
            references[name] = {metric.baselines[0].label: known}
    panels[LEARNING_RATE.name] = LEARNING_RATE.label
    if not any(row.name in panels for row in rows):
        return {}
    described = "Training and validation loss of each task and the learning rate, by step."
    return {
        "learning_curves": Drawing(learning_curves(rows, references, panels), "Learning curves", described)
    }


def _rows_of_splits(data: Mapping[str, Any]) -> dict[str, dict[str, int]]:
    """Rows, letters, and rows with a label of each task."""
    return {
        split: {"rows": counts["rows"], "letters": counts["letters"], **counts["labelled"]}
        for split, counts in data.items()
    }
