"""Models beside baselines: the figure of every round as a dot, and the epochs of a training."""

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.figure import Figure

from lifecode.report.charts.figure_style import (
    BLUE,
    GREEN,
    GREY,
    INK,
    ORANGE,
    PURPLE,
    RULE,
    VERMILION,
    figure_text,
    new_figure,
    style_axes,
)

_ROW = 0.27
_COLOURS = {"model": BLUE, "baseline": GREY, "published": ORANGE}


def figures_of_all(values: Mapping[str, Sequence[float]], roles: Mapping[str, str], metric: str) -> Figure:
    """A line for each model, best on top: rounds as dots, their mean as a bar, published figures as diamonds.

    Args:
        values: of each, one a round.
        roles: `model`, `baseline` or `published`.
        metric: label of the axis.
    """
    names = sorted(values, key=lambda name: float(np.mean(values[name])))
    figure = new_figure(0.75 + _ROW * len(names))
    axes = figure.add_subplot()
    style_axes(axes)
    for line, name in enumerate(names):
        colour, own = _COLOURS[roles[name]], np.asarray(values[name])
        if roles[name] == "published":
            axes.plot(own, [line], color=colour, marker="D", markersize=6, linestyle="")
            continue
        axes.plot(
            own, np.full(len(own), line), color=colour, marker="o", markersize=4, linestyle="", alpha=0.35
        )
        axes.plot([own.mean()] * 2, [line - 0.32, line + 0.32], color=colour, linewidth=2.6)
    axes.set_yticks(range(len(names)), [figure_text(name, 40) for name in names])
    for text, name in zip(axes.get_yticklabels(), names, strict=True):
        text.set_color(_COLOURS[roles[name]] if roles[name] != "baseline" else INK)
        text.set_fontweight("bold" if roles[name] == "model" else "normal")
    axes.set_ylim(-0.7, len(names) - 0.3)
    axes.set_xlabel(metric, fontsize=8.5, color=GREY)
    return figure


def sets_of_a_suite(
    sets: Sequence[str], rows: Mapping[str, Sequence[float | None]], roles: Mapping[str, str], metric: str
) -> Figure:
    """A line for each set: models, the best baseline and published figures.

    Args:
        sets: names.
        rows: figure of each kind of dot, one a set; None where a set has none.
        roles: of each kind of dot, as in `figures_of_all`.
        metric: label of the axis.
    """
    figure = new_figure(0.9 + _ROW * len(sets))
    axes = figure.add_subplot()
    style_axes(axes)
    for line in range(len(sets)):
        axes.axhline(line, color=RULE, linewidth=0.7, zorder=0)
    marks = {"model": "o", "baseline": "|", "published": "D"}
    blues = iter((BLUE, VERMILION, GREEN, PURPLE))
    for name, values in rows.items():
        role = roles[name]
        colour = next(blues, BLUE) if role == "model" else INK if role == "baseline" else ORANGE
        places = [len(sets) - 1 - i for i, value in enumerate(values) if value is not None]
        shown = [value for value in values if value is not None]
        size = 13 if role == "baseline" else 6
        axes.plot(
            shown,
            places,
            linestyle="",
            marker=marks[role],
            markersize=size,
            markeredgewidth=2 if role == "baseline" else 0,
            color=colour,
            label=figure_text(name, 40),
        )
    axes.set_yticks(range(len(sets)), [figure_text(name, 40) for name in reversed(sets)])
    axes.set_ylim(-0.7, len(sets) - 0.3)
    axes.set_xlabel(metric, fontsize=8.5, color=GREY)
    figure.legend(loc="outside upper right", ncols=4, frameon=False, fontsize=8.5, labelcolor=INK)
    return figure


def tuning_curves(rounds: Sequence[Sequence[Mapping[str, float]]]) -> Figure:
    """Loss by step, a line a round: training and validation.

    Args:
        rounds: of each the epochs, with `step`, `validation_loss` and perhaps `train_loss`.
    """
    figure = new_figure(2.8)
    axes = figure.add_subplot()
    style_axes(axes)
    for key, colour in (("train_loss", BLUE), ("validation_loss", VERMILION)):
        for number, epochs in enumerate(rounds):
            shown = [(epoch["step"], epoch[key]) for epoch in epochs if key in epoch]
            if shown:
                label = key.replace("_loss", "") if number == 0 else None
                axes.plot(*zip(*shown, strict=True), color=colour, linewidth=1.2, alpha=0.7, label=label)
    axes.set_xlabel("step", fontsize=8.5, color=GREY)
    axes.set_ylabel("loss", fontsize=8.5, color=GREY)
    axes.legend(frameon=False, fontsize=8.5, labelcolor=INK)
    return figure
