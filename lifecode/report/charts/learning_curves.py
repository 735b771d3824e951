"""How the losses fell, stage by stage, as one figure."""

from collections.abc import Iterable, Mapping, Sequence
from itertools import cycle

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure, SubFigure
from matplotlib.lines import Line2D
from matplotlib.ticker import FuncFormatter, MaxNLocator

from lifecode.evaluation.metric_rows import MetricRow
from lifecode.evaluation.metrics import (
    DISTILLATION,
    LEARNING_RATE,
    MASKED_CODON_CROSS_ENTROPY,
    MASKED_MODELLING,
    TRANSLATION,
)
from lifecode.report.charts.figure_style import (
    BLUE,
    GREY,
    INK,
    VERMILION,
    figure_text,
    new_figure,
    style_axes,
)

PANELS = {
    metric.name: metric.label if metric.unit == "number" else f"{metric.label} ({metric.unit})"
    for metric in (
        MASKED_CODON_CROSS_ENTROPY,
        MASKED_MODELLING,
        TRANSLATION,
        DISTILLATION,
        LEARNING_RATE,
    )
}
"""Titles of the metrics that get a panel, in the order of the panels."""

_COLUMNS = 3
_PANEL_HEIGHT = 2.1
_HEADING_HEIGHT = 0.4
_LOG_FROM_RATIO = 50


def learning_curves(
    rows: Iterable[MetricRow],
    baselines: Mapping[str, Mapping[str, float]] | None = None,
    panels: Mapping[str, str] = PANELS,
) -> Figure:
    """A block of panels for each stage, one panel for each metric of `panels` that the stage recorded.

    Args:
        rows: of `metrics.csv`, in any order.
        baselines: of a metric, by its name, values by label: horizontal lines in its panel of the encoder.
        panels: titles by the name of the metric, in the order of the panels.
    """
    finite = [row for row in rows if row.name in panels and np.isfinite(row.value)]
    stages = {row.stage: [other for other in finite if other.stage == row.stage] for row in finite}
    names = {
        stage: [name for name in panels if any(row.name == name for row in own)]
        for stage, own in stages.items()
    }
    heights = [_HEADING_HEIGHT + _PANEL_HEIGHT * -(-len(names[stage]) // _COLUMNS) for stage in stages]
    figure = new_figure(sum(heights) + _HEADING_HEIGHT)
    _draw_legend(figure)
    if not stages:
        return figure
    blocks = figure.subfigures(len(stages), 1, height_ratios=heights, squeeze=False)[:, 0]
    for block, (stage, own) in zip(blocks, stages.items(), strict=True):
        titles = {name: panels[name] for name in names[stage]}
        _draw_stage(block, stage, own, titles, (baselines or {}) if stage == "encoder" else {})
    return figure


def _draw_legend(figure: Figure) -> None:
    lines = [
        Line2D([], [], color=BLUE, linewidth=1.8, label="training, running mean"),
        Line2D([], [], color=VERMILION, linewidth=1.2, marker="o", markersize=4, label="validation"),
    ]
    figure.legend(
        handles=lines, loc="outside upper right", ncols=2, frameon=False, fontsize=8.5, labelcolor=INK
    )


def _draw_stage(
    block: SubFigure,
    stage: str,
    rows: Sequence[MetricRow],
    titles: Mapping[str, str],
    baselines: Mapping[str, Mapping[str, float]],
) -> None:
    block.suptitle(f"Stage: {figure_text(stage)}", x=0.012, ha="left", fontsize=11.5, color=INK)
    num_rows = -(-len(titles) // _COLUMNS)
    grid = block.add_gridspec(num_rows, _COLUMNS)
    for index, (name, title) in enumerate(titles.items()):
        axes = block.add_subplot(grid[index // _COLUMNS, index % _COLUMNS])
        style_axes(axes, title)
        axes.xaxis.set_major_locator(MaxNLocator(4, integer=True))
        own = [row for row in rows if row.name == name]
        _draw_curves(axes, own, smooth=name != LEARNING_RATE.name)
        if name == LEARNING_RATE.name:
            axes.yaxis.set_major_formatter(FuncFormatter(_scientific))
            axes.set_ylim(bottom=0)
        elif baselines.get(name):
            _draw_baselines(axes, baselines[name])
        if index + _COLUMNS >= len(titles):
            axes.set_xlabel("step", fontsize=8, color=GREY)


def _draw_curves(axes: Axes, rows: Sequence[MetricRow], *, smooth: bool) -> None:
    """Training as a faint line under its running mean, validation as a line with markers."""
    steps, values = _series(rows, "train")
    if len(steps):
        axes.plot(steps, values, color=BLUE, linewidth=0.8 if smooth else 1.8, alpha=0.3 if smooth else 1.0)
        if smooth:
            alone = "o" if len(steps) == 1 else None  # of which a line shows nothing
            axes.plot(steps, _running_mean(values), color=BLUE, linewidth=1.8, marker=alone, markersize=3.5)
    held_out_steps, held_out = _series(rows, "validation")
    if len(held_out_steps):
        axes.plot(held_out_steps, held_out, color=VERMILION, linewidth=1.2, marker="o", markersize=3.5)
    shown = np.concatenate([values, held_out])
    if smooth and shown.min() > 0 and shown.max() / shown.min() > _LOG_FROM_RATIO:
        axes.set_yscale("log")


def _draw_baselines(axes: Axes, baselines: Mapping[str, float]) -> None:
    """Horizontal lines, named where curves and lines leave most room."""
    for (label, value), dashes in zip(baselines.items(), cycle([(5, 3), (1.5, 2)]), strict=False):
        axes.axhline(value, color=INK, linewidth=1.1, linestyle=(0, dashes), label=f"{label} {value:.3f}")
    looks = {"fontsize": 7.5, "labelcolor": INK, "handlelength": 2.2}
    axes.legend(loc="best", facecolor="white", edgecolor="none", framealpha=0.9, **looks)


def _series(rows: Sequence[MetricRow], split: str) -> tuple[np.ndarray, np.ndarray]:
    """Steps and values of one split, ascending; of a step that was repeated after a restart, the last."""
    last = {row.step: row.value for row in rows if row.split == split}
    steps = np.array(sorted(last), dtype=np.int64)
    return steps, np.array([last[step] for step in steps.tolist()], dtype=np.float64)


def _scientific(value: float, _position: int | None) -> str:
    """1.5e-4 for 0.00015."""
    mantissa, exponent = f"{value:.1e}".split("e")
    return f"{mantissa}e{int(exponent)}" if value else "0"


def _running_mean(values: np.ndarray) -> np.ndarray:
    """Mean over a centred window of a twentieth of the run, narrower at both ends."""
    half = max(len(values) // 40, 1)
    sums = np.concatenate([[0.0], np.cumsum(values)])
    first = np.maximum(np.arange(len(values)) - half, 0)
    stop = np.minimum(np.arange(len(values)) + half + 1, len(values))
    return (sums[stop] - sums[first]) / (stop - first)
