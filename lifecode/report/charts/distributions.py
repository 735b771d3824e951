"""Histograms of what was measured of a corpus: lengths and GC content, a panel for each kind of sequence."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, LogLocator, MaxNLocator, NullFormatter
from numpy.typing import NDArray

from lifecode.report.charts.figure_style import BLUE, GREY, INK, VERMILION, new_figure, style_axes

_HEIGHT = 2.7
_LOG_FROM_RATIO, _DECADES_FROM_RATIO = 20, 200
_MOST_BINS = 48


@dataclass(frozen=True, slots=True, eq=False)
class Panel:
    """Values of one histogram: `title` says of what, `unit` is along the axis, `count` up.

    Where there are `others` they are an outline over it; the labels tell the two apart.
    """

    title: str
    unit: str
    count: str
    values: NDArray
    label: str | None = None
    others: NDArray | None = None
    others_label: str = ""


def length_histograms(panels: Sequence[Panel]) -> Figure:
    """Lengths, on a logarithmic axis where they differ much, with their median as a dashed line."""
    figure = new_figure(_HEIGHT)
    for axes, panel in zip(figure.subplots(1, len(panels), squeeze=False)[0], panels, strict=True):
        style_axes(axes, panel.title)
        low, high = panel.values.min(), panel.values.max()
        logarithmic = low > 0 and high / low > _LOG_FROM_RATIO
        if logarithmic:
            axes.set_xscale("log")
            marks = (1,) if high / low > _DECADES_FROM_RATIO else (1, 2, 5)
            axes.xaxis.set_major_locator(LogLocator(subs=marks))
            axes.xaxis.set_minor_formatter(NullFormatter())
        axes.hist(panel.values, _length_bins(panel.values, logarithmic), color=BLUE)
        median = float(np.median(panel.values))
        axes.axvline(median, color=INK, linewidth=1.1, linestyle=(0, (5, 3)), label=f"median {median:,.0f}")
        axes.xaxis.set_major_formatter(FuncFormatter(_short))
        _label(axes, panel)
    return figure


def gc_histograms(panels: Sequence[Panel]) -> Figure:
    """GC content in percent, in bins of 1 point (2 where they range widely), the same for all panels."""
    figure = new_figure(_HEIGHT)
    percents = [100 * values for p in panels for values in (p.values, p.others) if values is not None]
    low = 5 * np.floor(min(of_one.min() for of_one in percents) / 5)
    high = max(5 * np.ceil(max(of_one.max() for of_one in percents) / 5), low + 5)
    width = 1 if high - low <= _MOST_BINS else 2
    bins = np.arange(low, high + width, width)
    for axes, panel in zip(figure.subplots(1, len(panels), squeeze=False)[0], panels, strict=True):
        style_axes(axes, panel.title)
        axes.hist(100 * panel.values, bins, color=BLUE, alpha=0.7, label=panel.label)
        if panel.others is not None:
            line = {"histtype": "step", "color": VERMILION, "linewidth": 1.6}
            axes.hist(100 * panel.others, bins, label=panel.others_label, **line)
        axes.set_xlim(low, high)
        _label(axes, panel)
    return figure


def _label(axes: Axes, panel: Panel) -> None:
    axes.set_xlabel(panel.unit, fontsize=8, color=GREY)
    axes.set_ylabel(panel.count, fontsize=8, color=GREY)
    axes.yaxis.set_major_locator(MaxNLocator(5, integer=True))
    axes.yaxis.set_major_formatter(FuncFormatter(_short))
    if axes.get_legend_handles_labels()[1]:
        axes.set_ylim(top=1.2 * axes.get_ylim()[1])
        axes.legend(loc="best", frameon=False, fontsize=8, labelcolor=INK, handlelength=2.0)


def _length_bins(values: NDArray, logarithmic: bool) -> NDArray[np.float64]:
    """Edges between the shortest and the longest; fewer where there are few values."""
    count = int(np.clip(2 * np.sqrt(len(values)), 8, _MOST_BINS))
    space = np.geomspace if logarithmic else np.linspace
    return space(values.min(), values.max(), count + 1)


def _short(value: float, _position: int | None) -> str:
    """1,500 as 1.5 k, 2,000,000 as 2 M."""
    for size, unit in ((1e9, " G"), (1e6, " M"), (1e3, " k")):
        if abs(value) >= size:
            return f"{value / size:g}{unit}"
    return f"{value:g}"
