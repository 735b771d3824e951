"""%MinMax along the coding sequences of one protein: designs, and what they are compared with."""

from collections.abc import Sequence
from dataclasses import dataclass

from matplotlib.figure import Figure
from numpy import arange
from numpy.typing import NDArray

from lifecode.report.charts.figure_style import (
    BLUE,
    GREEN,
    GREY,
    INK,
    ORANGE,
    RULE,
    figure_text,
    new_figure,
    style_axes,
)

_HEIGHT = 3.1
_LOOKS = {
    "best_codon": {"color": ORANGE, "linewidth": 1.3, "linestyle": (0, (5, 2))},
    "matched_usage": {"color": GREEN, "linewidth": 1.1},
    "wild_type": {"color": INK, "linewidth": 1.6},
}
_FIRST = {"color": BLUE, "linewidth": 2.0}
_FURTHER = {"color": BLUE, "linewidth": 0.8, "alpha": 0.35}


@dataclass(frozen=True, slots=True, eq=False)
class Profile:
    """%MinMax (windows,) of one sequence; `kind` as of a design, `number` 0 unless it is one."""

    kind: str
    number: int
    values: NDArray


def min_max_chart(profiles: Sequence[Profile], *, name: str, window: int) -> Figure:
    """The likeliest design in front, its fellows pale behind it; a window stands at its middle codon.

    Args:
        profiles: of the sequences of one protein, none empty.
        name: of the protein.
        window: codons of a window.
    """
    figure = new_figure(_HEIGHT)
    axes = figure.subplots()
    style_axes(axes, figure_text(name))
    axes.axhline(0, color=RULE, linewidth=1.2)
    order = sorted(profiles, key=lambda one: (one.number == 1, one.kind != "design", -one.number))
    others = max((one.number for one in profiles), default=0) - 1
    for one in order:
        look = _LOOKS.get(one.kind) or (_FIRST if one.number == 1 else _FURTHER)
        label = one.kind.replace("_", " ")
        if one.kind == "design":
            label = "design 1" if one.number == 1 else f"{others} more" if one.number == 2 else "_"
        axes.plot(arange(len(one.values)) + window // 2 + 1, one.values, label=label, **look)
    axes.set_ylim(-105, 112)
    axes.margins(x=0.01)
    axes.set_xlabel(f"codon in the middle of a window of {window}", fontsize=8, color=GREY)
    axes.set_ylabel("%MinMax", fontsize=8, color=GREY)
    axes.legend(
        loc="upper left",
        bbox_to_anchor=(1.0, 1.0),
        frameon=False,
        fontsize=8,
        labelcolor=INK,
        handlelength=2.2,
    )
    return figure
