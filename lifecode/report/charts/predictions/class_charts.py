"""How a classifier errs: confusion matrix, ROC and precision-recall curves beside baselines, calibration."""

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.figure import Figure
from numpy.typing import NDArray
from sklearn.metrics import average_precision_score, precision_recall_curve, roc_auc_score, roc_curve

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

_RIVALS = (VERMILION, ORANGE, GREEN, PURPLE)
_MOST_NUMBERED, _MOST_LEVEL, _LONGEST_LEVEL, _MOST_NAMED, _DARK = 12, 6, 10, 35, 0.55
"""Of a confusion matrix: classes whose counts are written; whose names stand level, and letters of these;
that are all named; shade from which on a count is white."""
_BINS = 10


def confusion_matrix(labels: NDArray, predicted: NDArray, classes: Sequence[str]) -> Figure:
    """True classes down, predicted ones across; shades are shares of a true class, numbers are counts.

    Of more than 35 classes not all names are written.
    """
    size = len(classes)
    counts = np.bincount(labels * size + predicted, minlength=size * size).reshape(size, size)
    shares = counts / np.maximum(1, counts.sum(1, keepdims=True))
    figure = new_figure(min(7.5, 1.6 + 0.55 * size))
    axes = figure.add_subplot()
    shades = LinearSegmentedColormap.from_list("shades", ["white", BLUE])
    axes.imshow(shares, cmap=shades, vmin=0, vmax=1)
    style_axes(axes)
    axes.grid(visible=False)
    names = [figure_text(name, 18) for name in classes]
    long = size > _MOST_LEVEL or max(map(len, names)) > _LONGEST_LEVEL
    turned = {"rotation": 45, "ha": "right"} if long else {}
    step = -(-size // _MOST_NAMED)  # of more classes every second, third ... is named
    axes.set_xticks(range(0, size, step), names[::step], **turned)
    axes.set_yticks(range(0, size, step), names[::step])
    axes.set_xlabel("predicted", fontsize=8.5, color=GREY)
    axes.set_ylabel("true", fontsize=8.5, color=GREY)
    if size <= _MOST_NUMBERED:
        for (row, column), count in np.ndenumerate(counts):
            colour = "white" if shares[row, column] > _DARK else INK
            axes.text(column, row, f"{count:,}", ha="center", va="center", fontsize=9, color=colour)
    return figure


def ranking_curves(positive: NDArray[np.bool_], scores: Mapping[str, NDArray], model: str) -> Figure:
    """ROC and precision-recall curves of a model, bold, and of others, with their areas.

    Args:
        positive: (n,) examples of the second class.
        scores: (n,) of each, higher for the second class; of the others the best first.
        model: the one that is drawn bold.
    """
    figure = new_figure(3.9)
    left, right = figure.subplots(1, 2)
    style_axes(left, "ROC")
    style_axes(right, "Precision and recall")
    colours = dict(zip([name for name in scores if name != model], _RIVALS, strict=False)) | {model: BLUE}
    for name in [*reversed([name for name in scores if name != model]), model]:
        width = 2.2 if name == model else 1.1
        false, true, _ = roc_curve(positive, scores[name])
        precision, recall, _ = precision_recall_curve(positive, scores[name])
        label = figure_text(name, 30)
        area = f"{label} {roc_auc_score(positive, scores[name]):.3f}"
        left.plot(false, true, color=colours[name], linewidth=width, label=area)
        area = f"{label} {average_precision_score(positive, scores[name]):.3f}"
        right.step(recall, precision, color=colours[name], linewidth=width, label=area, where="post")
    left.plot([0, 1], [0, 1], color=GREY, linewidth=0.9, linestyle=(0, (4, 3)))
    right.axhline(positive.mean(), color=GREY, linewidth=0.9, linestyle=(0, (4, 3)))
    for axes, across, up, place in (
        (left, "false positives, share", "true positives, share", "lower right"),
        (right, "recall", "precision", "lower left"),
    ):
        axes.set(xlim=(-0.01, 1.01), ylim=(-0.01, 1.01))
        axes.set_xlabel(across, fontsize=8.5, color=GREY)
        axes.set_ylabel(up, fontsize=8.5, color=GREY)
        handles, names = axes.get_legend_handles_labels()
        axes.legend(handles[::-1], names[::-1], loc=place, frameon=False, fontsize=8, labelcolor=INK)
    return figure


def calibration(labels: NDArray, probabilities: NDArray[np.float64], classes: Sequence[str]) -> Figure:
    """How often the predicted class is right by how sure the model is, and how many examples are so sure.

    Of two classes the probability of the second one, of more that of the predicted one.
    """
    if len(classes) == 2:
        sure, right, low = probabilities[:, 1], labels == 1, 0.0
        across, up = f"probability of {figure_text(classes[1], 24)}", "share that is"
    else:
        sure, right = probabilities.max(1), probabilities.argmax(1) == labels
        low, across, up = 1 / len(classes), "probability of the predicted class", "share that is right"
    figure = new_figure(3.3)
    left, below = figure.subplots(1, 2)
    style_axes(left, "Calibration")
    style_axes(below, "How sure it is")
    left.plot([low, 1], [low, 1], color=GREY, linewidth=0.9, linestyle=(0, (4, 3)))
    _in_bins(left, sure, right.astype(np.float64))
    below.hist(sure, bins=np.linspace(low, 1, 2 * _BINS + 1), color=BLUE)
    left.set(xlim=(low - 0.01, 1.01), ylim=(-0.02, 1.02))
    left.set_ylabel(up, fontsize=8.5, color=GREY)
    below.set_ylabel("examples", fontsize=8.5, color=GREY)
    for axes in (left, below):
        axes.set_xlabel(across, fontsize=8.5, color=GREY)
    return figure


def _in_bins(axes: Axes, across: NDArray, up: NDArray) -> None:
    """Means of ten bins of equal number, with two standard errors."""
    order = np.argsort(across, kind="stable")
    parts = [part for part in np.array_split(order, min(_BINS, len(order))) if len(part)]
    x, y = (np.array([values[part].mean() for part in parts]) for values in (across, up))
    error = np.array([2 * up[part].std() / np.sqrt(len(part)) for part in parts])
    axes.errorbar(x, y, error, color=BLUE, linewidth=1.4, marker="o", markersize=4.5, capsize=2)
