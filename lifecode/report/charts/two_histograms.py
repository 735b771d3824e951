"""Two histograms over each other, of what shall be told apart; a panel for each score of each model."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from lifecode.report.charts.figure_style import (
    BLUE,
    GREY,
    VERMILION,
    figure_text,
    legend_above,
    new_panels,
    style_axes,
)

_COLUMNS, _BINS = 2, 30


@dataclass(frozen=True, slots=True, eq=False)
class HistogramPanel:
    """Values of both kinds: `title` says of what, `unit` is along the axis."""

    title: str
    unit: str
    first: NDArray[np.float64]
    second: NDArray[np.float64]


def two_histograms(panels: Sequence[HistogramPanel], names: tuple[str, str]) -> Figure:
    """Shares of each kind in common bins; `names` are those of the two kinds, blue and red."""
    figure, axes_of = new_panels(len(panels), columns=_COLUMNS, height=2.1, rest=0.4)
    for axes, panel in zip(axes_of, panels, strict=True):
        style_axes(axes, figure_text(panel.title, 60))
        low, high = (function([*panel.first, *panel.second]) for function in (min, max))
        margin = 0 if high > low else 0.5
        bins = np.linspace(low - margin, high + margin, _BINS)
        for values, colour, name in ((panel.first, BLUE, names[0]), (panel.second, VERMILION, names[1])):
            weights = np.full(len(values), 100 / len(values))
            axes.hist(values, bins, weights=weights, color=colour, alpha=0.55, label=name)
        axes.set_xlabel(panel.unit, fontsize=8.5, color=GREY)
        axes.set_ylabel("% of them", fontsize=8.5, color=GREY)
    legend_above(figure, axes_of[0], 2)
    return figure
