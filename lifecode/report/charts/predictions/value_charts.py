"""How a regression errs: predictions against labels, residuals, and the mean label by prediction."""

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from lifecode.report.charts.figure_style import BLUE, GREY, VERMILION, new_figure, style_axes

_BINS = 10
_FAINT_FROM = 500


def residual_charts(
    labels: NDArray[np.float64], predictions: NDArray[np.float64], transform: str | None = None
) -> Figure:
    """Three panels; the red line is the mean of tenths by prediction, with two standard errors.

    Args:
        labels: (n,).
        predictions: (n,).
        transform: what both are of the labels that were given, such as `log`, for the axes.
    """
    figure = new_figure(3.1)
    first, second, third = figure.subplots(1, 3)
    alpha, size = (0.25, 5) if len(labels) > _FAINT_FROM else (0.6, 10)
    style_axes(first, "Predicted and measured")
    style_axes(second, "Residuals")
    style_axes(third, "Calibration by tenths")
    first.scatter(predictions, labels, s=size, alpha=alpha, color=BLUE, linewidths=0)
    second.scatter(predictions, labels - predictions, s=size, alpha=alpha, color=BLUE, linewidths=0)
    order = np.argsort(predictions, kind="stable")
    parts = [part for part in np.array_split(order, min(_BINS, len(order))) if len(part)]
    x, y = (np.array([values[part].mean() for part in parts]) for values in (predictions, labels))
    spread = np.array([2 * labels[part].std() / np.sqrt(len(part)) for part in parts])
    third.errorbar(x, y, spread, color=VERMILION, linewidth=1.4, marker="o", markersize=4.5, capsize=2)
    off = np.array([2 * (labels - predictions)[part].std() / np.sqrt(len(part)) for part in parts])
    second.errorbar(x, y - x, off, color=VERMILION, linewidth=1.4, marker="o", markersize=3.5, capsize=2)
    low, high = min(predictions.min(), labels.min()), max(predictions.max(), labels.max())
    for axes, ends in ((first, (low, high)), (third, (min(x.min(), y.min()), max(x.max(), y.max())))):
        axes.plot(ends, ends, color=GREY, linewidth=0.9, linestyle=(0, (4, 3)))
    second.axhline(0, color=GREY, linewidth=0.9, linestyle=(0, (4, 3)))
    label, prediction = (
        word if transform is None else f"{transform}({word})" for word in ("label", "prediction")
    )
    for axes, up in ((first, label), (second, f"{label} - {prediction}"), (third, f"mean {label}")):
        axes.set_xlabel(prediction, fontsize=8.5, color=GREY)
        axes.set_ylabel(up, fontsize=8.5, color=GREY)
    return figure
