"""Throughput of training against the length of a sequence, and against the hybrid ratio.

A hollow marker is an extrapolated point. Ours are drawn solid, peers dashed.
"""

from collections.abc import Sequence
from typing import NamedTuple

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FixedLocator, FuncFormatter, LogLocator, NullFormatter

from benchmarks.measuring.measurement import Record
from lifecode.models.layers.mixers import streaming_share
from lifecode.report.charts.figure_style import (
    BLUE,
    GREEN,
    GREY,
    INK,
    ORANGE,
    PURPLE,
    VERMILION,
    new_figure,
    style_axes,
)

_COLOURS, _PEER_COLOURS = (BLUE, VERMILION, GREEN, ORANGE, PURPLE), (INK, GREY)
_MARKERS = "os^Dv"
_HEIGHT = 4.2


class Style(NamedTuple):
    """How one line looks, in matplotlib's words."""

    colour: str
    marker: str
    dashes: str


def throughput_by_length(
    records: Sequence[Record], ratios: Sequence[str], peers: Sequence[str], lengths: Sequence[int]
) -> Figure:
    """Nucleotides/s over nucleotides of a sequence, both logarithmic, a line for each contender."""
    figure, axes = _new_axes("nucleotides of a sequence", "Training throughput and sequence length")
    for index, name in enumerate([*ratios, *peers]):
        points = [(length, (name, length)) for length in lengths]
        if index < len(ratios):
            style = Style(_COLOURS[index % len(_COLOURS)], _MARKERS[index % len(_MARKERS)], "-")
            _draw_line(axes, records, points, style, f"Life-Code {name}")
        else:
            place = index - len(ratios)
            colour = _PEER_COLOURS[place % len(_PEER_COLOURS)]
            _draw_line(axes, records, points, Style(colour, _MARKERS[place % len(_MARKERS)], "--"), name)
    axes.set_xscale("log")
    axes.xaxis.set_major_locator(FixedLocator(list(lengths)))
    axes.xaxis.set_minor_formatter(NullFormatter())
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.0f}"))
    _add_legend(axes)
    return figure


def throughput_by_ratio(records: Sequence[Record], ratios: Sequence[str], lengths: Sequence[int]) -> Figure:
    """Nucleotides/s over the hybrid ratio, most layers of linear time first, a line for each length."""
    ordered = sorted(ratios, key=streaming_share, reverse=True)
    figure, axes = _new_axes("Gated DeltaNet : MHSA layers", "Training throughput and hybrid ratio")
    for index, length in enumerate(lengths):
        points = [(place, (ratio, length)) for place, ratio in enumerate(ordered)]
        style = Style(_COLOURS[index % len(_COLOURS)], _MARKERS[index % len(_MARKERS)], "-")
        _draw_line(axes, records, points, style, f"{length:,} nucleotides")
    axes.set_xticks(range(len(ordered)), ordered)
    _add_legend(axes)
    return figure


def _new_axes(label: str, title: str) -> tuple[Figure, Axes]:
    figure = new_figure(_HEIGHT)
    axes = figure.add_subplot()
    style_axes(axes, title)
    axes.set_yscale("log")
    axes.set_xlabel(label, fontsize=8.5, color=GREY)
    axes.set_ylabel("nucleotides/s", fontsize=8.5, color=GREY)
    axes.yaxis.set_major_locator(LogLocator(subs=(1.0, 2.0, 5.0)))
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.0f}"))
    axes.yaxis.set_minor_formatter(NullFormatter())
    return figure, axes


def _draw_line(
    axes: Axes,
    records: Sequence[Record],
    points: Sequence[tuple[int, tuple[str, int]]],
    style: Style,
    label: str,
) -> None:
    """One line through the points that have a throughput, its markers filled where it was measured."""
    known = {(r["contender"], r["length"]): r for r in records if r["nucleotides_per_second"]}
    drawn = [
        (x, known[key]["nucleotides_per_second"], known[key]["status"] == "extrapolated")
        for x, key in points
        if key in known
    ]
    if not drawn:
        return
    colour, marker, dashes = style
    axes.plot([x for x, *_ in drawn], [y for _, y, _ in drawn], color=colour, linewidth=1.6, linestyle=dashes)
    for x, y, empty in drawn:
        axes.plot([x], [y], marker, color=colour, markersize=5, markerfacecolor="white" if empty else colour)
    axes.plot([], [], marker, color=colour, linewidth=1.6, linestyle=dashes, markersize=5, label=label)


def _add_legend(axes: Axes) -> None:
    if axes.get_legend_handles_labels()[0]:
        axes.legend(
            loc="center left",
            bbox_to_anchor=(1.0, 0.5),
            frameon=False,
            fontsize=8,
            labelcolor=INK,
            handlelength=3,
        )
