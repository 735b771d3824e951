"""Charts of a sweep: accuracy against throughput (the paper's Figure 8), metrics by group, curves."""

import textwrap
from collections.abc import Callable, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import MaxNLocator

from lifecode.evaluation.metrics import MASKED_CODON_CROSS_ENTROPY, MASKED_TRANSLATION_ACCURACY, metric_named
from lifecode.report.charts.figure_style import (
    BLUE,
    GREEN,
    GREY,
    INK,
    ORANGE,
    PURPLE,
    VERMILION,
    figure_text,
    new_figure,
    style_axes,
)
from lifecode.report.charts.learning_curves import PANELS
from lifecode.report.sweep.run_groups import Group
from lifecode.report.sweep.runs import Run
from lifecode.report.sweep.spread import Spread, heldout_spread, spread_over, unit

_COLOURS = (BLUE, VERMILION, GREEN, ORANGE, PURPLE, INK, GREY)
_FIGURE_8 = (MASKED_TRANSLATION_ACCURACY.name, MASKED_CODON_CROSS_ENTROPY.name)
_COLUMNS = 3
_LONGEST_LABEL = 40


def accuracy_against_throughput(groups: Sequence[Group], metric_of: Callable[[Run], float | None]) -> Figure:
    """Masked-residue accuracy and masked codon cross-entropy over 1,000 nucleotides/s (the paper's Figure 8).

    A point is a run, a ring the mean of its group.

    Args:
        groups: with finished runs.
        metric_of: throughput of a run in nucleotides/s, None where it does not count.
    """
    figure = new_figure(4.0)
    for place, name in enumerate(_FIGURE_8):
        axes = figure.add_subplot(1, 2, place + 1)
        style_axes(axes, _title(name))
        axes.set_xlabel("training throughput, 1,000 nucleotides/s", fontsize=8, color=GREY)
        for colour, group in zip(_cycle(groups), groups, strict=True):
            _draw_point(axes, spread_over(group, metric_of), heldout_spread(group, name), colour, name)
    _legend(figure, groups)
    return figure


def _draw_point(axes: Axes, speeds: Spread, values: Spread, colour: str, name: str) -> None:
    seeds = [seed for seed in speeds.by_seed if seed in values.by_seed]
    if not seeds:
        return
    x = np.array([speeds.by_seed[seed] for seed in seeds]) / 1000
    y = np.array([values.by_seed[seed] for seed in seeds]) * _factor(name)
    axes.plot(x, y, "o", color=colour, markersize=3.5, alpha=0.5, markeredgewidth=0)
    axes.plot(x.mean(), y.mean(), "o", color=colour, markersize=9, fillstyle="none", markeredgewidth=2)


def metrics_by_group(groups: Sequence[Group], names: Sequence[str], heading: str) -> Figure:
    """A panel for each held-out figure: a point for each run of a group, a line at their mean."""
    rows = -(-len(names) // _COLUMNS)
    figure = new_figure(0.3 + 2.5 * rows)
    for place, name in enumerate(names):
        axes = figure.add_subplot(rows, _COLUMNS, place + 1)
        style_axes(axes, textwrap.fill(_title(name), 34))
        axes.grid(axis="x", visible=False)
        for x, (colour, group) in enumerate(zip(_cycle(groups), groups, strict=True)):
            values = np.array(heldout_spread(group, name).values) * _factor(name)
            if len(values):
                axes.plot([x - 0.28, x + 0.28], [values.mean()] * 2, color=colour, linewidth=2)
                axes.plot([x] * len(values), values, "o", color=colour, markersize=4, alpha=0.6, mew=0)
        axes.set_xticks(range(len(groups)), [figure_text(group.label, _LONGEST_LABEL) for group in groups])
        long = sum(min(len(group.label), _LONGEST_LABEL) for group in groups) > 24
        axes.tick_params(axis="x", labelrotation=30 if long else 0, colors=INK)
        if long:
            for label in axes.get_xticklabels():
                label.set_horizontalalignment("right")
        axes.set_xlim(-0.6, len(groups) - 0.4)
        axes.yaxis.set_major_locator(MaxNLocator(5))
        axes.ticklabel_format(axis="y", useOffset=False)
    figure.supxlabel(figure_text(heading, 120), fontsize=8.5, color=GREY)
    return figure


def curves_by_group(groups: Sequence[Group]) -> Figure | None:
    """Validation losses of the encoder: the mean over seeds, in a band from the least to the greatest.

    None where no run was validated.
    """
    names = [name for name in PANELS if any(_curve(group, name)[0].size for group in groups)]
    if not names:
        return None
    columns = min(2, len(names))
    rows = -(-len(names) // columns)
    figure = new_figure(0.5 + 2.7 * rows)
    for place, name in enumerate(names):
        axes = figure.add_subplot(rows, columns, place + 1)
        style_axes(axes, PANELS[name])
        axes.xaxis.set_major_locator(MaxNLocator(6, integer=True))
        if place + columns >= len(names):
            axes.set_xlabel("step of the encoder", fontsize=8, color=GREY)
        for colour, group in zip(_cycle(groups), groups, strict=True):
            steps, values = _curve(group, name)
            if steps.size:
                axes.plot(steps, values.mean(0), color=colour, linewidth=1.6, marker="o", markersize=3)
                axes.fill_between(steps, values.min(0), values.max(0), color=colour, alpha=0.12, linewidth=0)
    _legend(figure, groups)
    return figure


def _curve(group: Group, name: str) -> tuple[np.ndarray, np.ndarray]:
    """Steps (n,) that all finished runs of a group validated at, and the values there (runs, n)."""
    curves = [
        {row.step: row.value for row in run.rows if (row.stage, row.split, row.name) == _series(name)}
        for run in group.finished
    ]
    steps = sorted(set.intersection(*(set(curve) for curve in curves))) if curves else []
    values = np.array([[curve[step] for step in steps] for curve in curves], dtype=np.float64)
    return np.array(steps, dtype=np.int64), values


def _series(name: str) -> tuple[str, str, str]:
    return ("encoder", "validation", name)


def _legend(figure: Figure, groups: Sequence[Group]) -> None:
    lines = [
        Line2D([], [], color=colour, linewidth=0, marker="o", markersize=6, label=figure_text(group.label))
        for colour, group in zip(_cycle(groups), groups, strict=True)
    ]
    figure.legend(
        handles=lines,
        loc="outside upper center",
        ncols=min(6, len(lines)),
        frameon=False,
        fontsize=9,
        labelcolor=INK,
    )


def _cycle(groups: Sequence[Group]) -> list[str]:
    return [_COLOURS[place % len(_COLOURS)] for place in range(len(groups))]


def _title(name: str) -> str:
    description = metric_named(name)
    in_units = f" ({unit(description)})" if unit(description) else ""
    return figure_text(f"{description.label}{in_units}")


def _factor(name: str) -> float:
    return 100.0 if metric_named(name).unit == "share" else 1.0


def draws_throughput(groups: Sequence[Group], metric_of: Callable[[Run], float | None]) -> bool:
    """Whether two groups or more have a throughput."""
    return sum(spread_over(group, metric_of).mean is not None for group in groups) > 1
