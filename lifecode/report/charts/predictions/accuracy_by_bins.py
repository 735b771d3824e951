"""Accuracy of several models in bins of what may make an example hard; a panel for each such thing."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from textwrap import wrap

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from lifecode.report.charts.figure_style import (
    BLUE,
    GREEN,
    GREY,
    ORANGE,
    PURPLE,
    VERMILION,
    figure_text,
    legend_above,
    new_panels,
    style_axes,
)

_COLOURS = (BLUE, VERMILION, GREY, GREEN, ORANGE, PURPLE)
_COLUMNS, _BESIDE = 2, 0.12
_MOST_LARGE, _MOST_LYING = 4, 6
"""Bins whose texts are of the usual size, and bins whose texts lie."""
_LETTERS_BELOW = 60
"""Of all texts that lie below a panel, in one line."""


@dataclass(frozen=True, slots=True)
class BinsPanel:
    """Bins in their order.

    Attributes:
        title: what they are of.
        bins: text of each.
        rows: number of examples in each.
        accuracy: of each model, by its name, (accuracy, low, high) of each bin.
    """

    title: str
    bins: Sequence[str]
    rows: Sequence[int]
    accuracy: Mapping[str, Sequence[tuple[float, float, float]]]


def accuracy_by_bins(panels: Sequence[BinsPanel]) -> Figure:
    """A dot with its interval for each model and bin; the number of examples stands below the bin."""
    figure, axes_of = new_panels(len(panels), columns=_COLUMNS, height=2.6, rest=0.5)
    for axes, panel in zip(axes_of, panels, strict=True):
        style_axes(axes, figure_text(panel.title, 60))
        places = np.arange(len(panel.bins))
        for number, (name, figures) in enumerate(panel.accuracy.items()):
            value, low, high = np.array(figures).T
            axes.errorbar(
                places + _BESIDE * (number - (len(panel.accuracy) - 1) / 2),
                value,
                yerr=np.maximum([value - low, high - value], 0),
                color=_COLOURS[number % len(_COLOURS)],
                marker="o",
                markersize=4,
                linewidth=1,
                label=figure_text(name, 36),
            )
        _name_bins(axes, panel)
        axes.set_xlim(-0.5, len(panel.bins) - 0.5)
        axes.set_ylim(-0.03, 1.03)
        axes.set_ylabel("accuracy", fontsize=8.5, color=GREY)
    legend_above(figure, axes_of[0], 3)
    return figure


def _name_bins(axes: Axes, panel: BinsPanel) -> None:
    """The texts below the bins, in lines that leave room for their neighbours, or upright where many are."""
    texts = [figure_text(text, 24) for text in panel.bins]
    upright = len(texts) > _MOST_LYING
    if upright:
        named = [f"{text}, n = {num:,}" for text, num in zip(texts, panel.rows, strict=True)]
    else:
        width = _LETTERS_BELOW // len(texts)
        lines = ["\n".join(wrap(text, width, break_on_hyphens=False)) for text in texts]
        named = [f"{text}\nn = {num:,}" for text, num in zip(lines, panel.rows, strict=True)]
    axes.set_xticks(range(len(texts)), named, rotation=90 if upright else 0)
    axes.tick_params(axis="x", labelsize=6.5 if len(texts) > _MOST_LARGE else 8)
