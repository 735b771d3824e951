"""The look all figures share: Okabe and Ito's colour-blind-safe palette, a light page, no frames.

Figures are 9 inches wide, so that text set in points reads at the report's 900 pixels. They are made
without pyplot: nothing is shared between two figures, and no display is needed.
"""

import warnings
from io import BytesIO
from pathlib import Path

from matplotlib import rc_context, rcParamsDefault
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from lifecode.host.durable import replacing
from lifecode.names import display_name

BLUE, ORANGE, GREEN, VERMILION = "#0072B2", "#E69F00", "#009E73", "#D55E00"
PURPLE, INK, GREY, RULE = "#AA4499", "#1F2933", "#66717E", "#DDE2E7"
FIGURE_WIDTH = 9.0
"""Inches."""
plain_settings = rc_context({key: value for key, value in rcParamsDefault.items() if "backend" not in key})
"""Decorates what draws: no `matplotlibrc` is heeded, of the current folder either, as it may call LaTeX."""


def new_figure(height: float) -> Figure:
    """An empty white figure, `FIGURE_WIDTH` by `height` inches."""
    figure = Figure(figsize=(FIGURE_WIDTH, height), facecolor="white", layout="constrained")
    FigureCanvasAgg(figure)
    return figure


def style_axes(axes: Axes, title: str = "") -> None:
    """Light grid behind the data, two spines, small grey ticks, title at the left."""
    axes.set_title(title, loc="left", fontsize=9.5, color=INK, fontweight="bold")
    axes.spines[["top", "right"]].set_visible(False)
    axes.spines[["left", "bottom"]].set_color(RULE)
    axes.tick_params(colors=GREY, labelsize=8, length=0, which="both")
    axes.grid(color=RULE, linewidth=0.6)
    axes.set_axisbelow(True)


def figure_text(name: object, max_characters: int = 60) -> str:
    """A name as text of a figure: short, no formula between `$`, and never left out of a legend."""
    text = display_name(name, max_characters).replace("$", r"\$")
    return f" {text}" if text.startswith("_") else text


def png_bytes(figure: Figure) -> bytes:
    """A figure of 1,800 pixels across; the same figure always gives the same bytes."""
    file = BytesIO()
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Glyph .* missing")  # a box stands for the letter
        figure.savefig(file, dpi=200, metadata={"Software": None})
    return file.getvalue()


def save_png(figure: Figure, path: Path) -> None:
    """Write `png_bytes`."""
    with replacing(path) as file:
        file.write(png_bytes(figure))
