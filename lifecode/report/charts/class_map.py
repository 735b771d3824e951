"""Points on a plane, coloured by their class, a panel for each model."""

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from numpy.typing import NDArray

from lifecode.report.charts.figure_style import (
    BLUE,
    GREEN,
    INK,
    ORANGE,
    PURPLE,
    VERMILION,
    figure_text,
    new_panels,
    style_axes,
)

_COLOURS, _MARKS = (BLUE, ORANGE, GREEN, VERMILION, PURPLE, INK), "o^sDv"
_COLUMNS, _MOST_NAMED = 3, 24


def class_map(
    maps: Mapping[str, NDArray[np.float64]], labels: NDArray[np.int64], classes: Sequence[str]
) -> Figure:
    """Classes are told apart by six colours, and by the mark where there are more.

    Args:
        maps: points (n, 2) by the name of their panel.
        labels: (n,) number of the class of each.
        classes: names; of more than 24 none is named.
    """
    lines = -(-min(len(classes), _MOST_NAMED) // 3)
    figure, panels = new_panels(len(maps), columns=_COLUMNS, height=3.0, rest=0.25 * lines)
    for axes, (name, points) in zip(panels, maps.items(), strict=True):
        style_axes(axes, figure_text(name, 34))
        axes.grid(visible=False)
        axes.set_xticks([])
        axes.set_yticks([])
        for number in range(len(classes)):
            colour, mark = _style(number)
            axes.scatter(*points[labels == number].T, s=9, color=colour, marker=mark, linewidths=0, alpha=0.8)
    if len(classes) <= _MOST_NAMED:
        handles = [
            Line2D([], [], marker=mark, linestyle="", color=colour, markersize=5, label=figure_text(name, 36))
            for name, (colour, mark) in ((name, _style(number)) for number, name in enumerate(classes))
        ]
        figure.legend(
            handles=handles, loc="outside lower left", ncols=3, frameon=False, fontsize=8, labelcolor=INK
        )
    return figure


def _style(number: int) -> tuple[str, str]:
    return _COLOURS[number % len(_COLOURS)], _MARKS[number // len(_COLOURS) % len(_MARKS)]
