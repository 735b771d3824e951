"""Tracks of one region, one above the other, with its coding sequences as arrows."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Polygon
from numpy.typing import NDArray

from lifecode.report.charts.figure_style import (
    BLUE,
    GREY,
    INK,
    ORANGE,
    RULE,
    figure_text,
    new_figure,
    style_axes,
    tint,
)

_PANEL, _SIX, _LANE = 2.0, 0.85, 0.32
_MOST_NAMED = 40
_MOST_LANES = 8
_NARROWEST_NAME = 0.012
"""Share of the region that a gene has to have to be named for each letter of its name."""


class Arrow(NamedTuple):
    """A coding sequence: its name, strand, and exons (start, end) from 0, lowest first."""

    name: str
    strand: int
    exons: Sequence[tuple[int, int]]


class Line(NamedTuple):
    """Runs of a track: starts, ends (n,) and values (n,)."""

    starts: NDArray
    ends: NDArray
    values: NDArray


def track_chart(
    title: str, span: tuple[int, int], lines: Mapping[str, Line], arrows: Sequence[Arrow], quantity: str
) -> Figure:
    """A panel a track, all of one scale, and the genes beneath; places are counted from 1.

    Args:
        title: of the figure.
        span: the region, from 0, half open.
        lines: by the name of the track; an empty name is not written.
        arrows: coding sequences that reach into the region.
        quantity: what is drawn, with its unit.
    """
    lanes = _lanes(arrows)
    num_lanes = max([lane for lane, _ in lanes], default=0) + 1
    height = _SIX if len(lines) > 2 else _PANEL
    heights = [height] * len(lines) + [_LANE * num_lanes + 0.1]
    figure = new_figure(sum(heights) + 0.9)
    panels = figure.subplots(
        len(heights), 1, sharex=True, squeeze=False, gridspec_kw={"height_ratios": heights}
    )[:, 0]
    known = [line.values for line in lines.values() if len(line.values)]
    low, high = (min(map(np.min, known)), max(map(np.max, known))) if known else (0.0, 1.0)
    margin = 0.05 * (high - low or 1.0)
    for panel, (name, line) in zip(panels, lines.items(), strict=False):
        style_axes(panel)
        panel.axhline(0, color=RULE, linewidth=1.0)
        x, y = _steps(line)
        panel.plot(x, y, color=ORANGE if name.startswith("minus") else BLUE, linewidth=0.9)
        panel.set_ylim(low - margin, high + margin)
        if name:
            panel.set_ylabel(name, fontsize=8, color=GREY, rotation=0, ha="right", va="center")
    panels[0].set_title(figure_text(title), loc="left", fontsize=9.5, color=INK, fontweight="bold")
    panels[0].set_title(quantity, loc="right", fontsize=8, color=GREY)
    _draw_genes(panels[-1], span, lanes, num_lanes)
    panels[-1].set_xlim(span[0] + 0.5, span[1] + 0.5)
    panels[-1].xaxis.set_major_formatter("{x:,.0f}")
    panels[-1].set_xlabel("nucleotide of the contig, from 1", fontsize=8, color=GREY)
    return figure


def _steps(line: Line) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """A line that is level over each run and broken where nothing is known."""
    starts, ends = line.starts + 0.5, line.ends + 0.5
    x = np.stack([starts, ends, ends], axis=1)
    y = np.repeat(line.values[:, None].astype(np.float64), 3, axis=1)
    y[:, 2] = np.nan
    y[:-1, 2][line.ends[:-1] == line.starts[1:]] = line.values[:-1][line.ends[:-1] == line.starts[1:]]
    return x.ravel(), y.ravel()


def _lanes(arrows: Sequence[Arrow]) -> list[tuple[int, Arrow]]:
    """Each gene in the first lane where it has room, those of the minus strand beneath those of plus."""
    found: list[tuple[int, Arrow]] = []
    first = 0
    for strand in (1, -1):
        ends: list[int] = []
        for arrow in sorted((one for one in arrows if one.strand == strand), key=lambda one: one.exons[0]):
            start, end = arrow.exons[0][0], arrow.exons[-1][1]
            lane = next((i for i, taken in enumerate(ends) if taken <= start), len(ends))
            if lane == _MOST_LANES:
                continue
            ends[lane:] = [end, *ends[lane + 1 :]]
            found.append((first + lane, arrow))
        first += len(ends)
    return found


def _draw_genes(
    axes: Axes, span: tuple[int, int], lanes: Sequence[tuple[int, Arrow]], num_lanes: int
) -> None:
    style_axes(axes)
    axes.grid(visible=False)
    axes.set_yticks([])
    axes.set_ylim(num_lanes - 0.45, -0.55)
    tip = 0.01 * (span[1] - span[0])
    for lane, arrow in lanes:
        colour = BLUE if arrow.strand == 1 else ORANGE
        axes.plot(
            [arrow.exons[0][0] + 0.5, arrow.exons[-1][1] + 0.5], [lane, lane], color=colour, linewidth=0.8
        )
        for number, (start, end) in enumerate(arrow.exons):
            is_last = number == (len(arrow.exons) - 1 if arrow.strand == 1 else 0)
            axes.add_patch(_body(start + 0.5, end + 0.5, lane, arrow.strand, tip if is_last else 0, colour))
    named = [one for one in lanes if _fits(one[1], span)]
    for lane, arrow in named if len(named) <= _MOST_NAMED else ():
        left, right = max(arrow.exons[0][0], span[0]), min(arrow.exons[-1][1], span[1])
        axes.text(
            (left + right) / 2,
            lane,
            figure_text(arrow.name, 20),
            fontsize=7,
            color=INK,
            ha="center",
            va="center",
            clip_on=True,
            zorder=3,
        )


def _fits(arrow: Arrow, span: tuple[int, int]) -> bool:
    shown = min(arrow.exons[-1][1], span[1]) - max(arrow.exons[0][0], span[0])
    return shown >= _NARROWEST_NAME * min(len(arrow.name), 20) * (span[1] - span[0])


def _body(start: float, end: float, lane: int, strand: int, tip: float, colour: str) -> Polygon:
    tip = min(tip, end - start)
    half = 0.3
    if strand == 1:
        corners = [(start, -half), (end - tip, -half), (end, 0), (end - tip, half), (start, half)]
    else:
        corners = [(end, -half), (start + tip, -half), (start, 0), (start + tip, half), (end, half)]
    return Polygon(
        [(x, lane + y) for x, y in corners],
        closed=True,
        facecolor=tint(colour, 0.45),
        edgecolor=colour,
        zorder=2.5,
    )
