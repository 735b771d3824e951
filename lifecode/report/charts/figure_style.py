"""The look all figures share: a palette of names for colours, a light page, no frames.

Figures are 9 inches wide, so that text set in points reads at the report's 900 pixels. They are made
without pyplot: nothing is shared between two figures, and no display is needed.
"""

import warnings
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path

from matplotlib import rc_context, rcParamsDefault
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.colors import get_named_colors_mapping, is_color_like, to_hex, to_rgb
from matplotlib.figure import Figure

from lifecode.host.durable import replacing
from lifecode.names import display_name

_FIGURE_WIDTH = 9.0
"""Inches."""
BLUE, ORANGE, GREEN, VERMILION, PURPLE, INK, GREY, RULE = (
    f"lifecode:{name}" for name in ("blue", "orange", "green", "vermilion", "purple", "ink", "grey", "rule")
)
"""Colours by their names in `FigureColours`; matplotlib looks up which one that is when it draws."""
plain_settings = rc_context({key: value for key, value in rcParamsDefault.items() if "backend" not in key})
"""Decorates what draws: no `matplotlibrc` is heeded, of the current folder either, as it may call LaTeX."""


@dataclass(frozen=True)
class FigureColours:
    """What the figures of a report are drawn in; by default Okabe and Ito's, safe for the colour-blind.

    Each is whatever matplotlib takes for a colour, such as `#0072B2` or `tab:blue`.

    Attributes:
        blue: training, this model, codons that are right in their residue.
        orange: residues of the same class, hydrophobic ones, what was dropped.
        green: codons that are right, polar residues.
        vermilion: validation, negative residues, what was rejected.
        purple: special residues, a fourth group.
        ink: text.
        grey: what is said beside it.
        rule: grids and axes.

    Raises:
        ValueError: one of them is no colour.
    """

    blue: str = "#0072B2"
    orange: str = "#E69F00"
    green: str = "#009E73"
    vermilion: str = "#D55E00"
    purple: str = "#AA4499"
    ink: str = "#1F2933"
    grey: str = "#66717E"
    rule: str = "#DDE2E7"

    def __post_init__(self) -> None:
        for name, colour in vars(self).items():
            if not is_color_like(colour):
                raise ValueError(f"{name}={colour!r} is no colour that matplotlib knows")


def use_colours(colours: FigureColours) -> None:
    """Draw in these from now on."""
    known = get_named_colors_mapping()
    for name, colour in vars(colours).items():
        known[f"lifecode:{name}"] = to_hex(colour, keep_alpha=True)


use_colours(FigureColours())


def tint(colour: str, share: float) -> tuple[float, float, float]:
    """So much of a colour in white."""
    red, green, blue = (1 - share * (1 - part) for part in to_rgb(colour))
    return red, green, blue


def new_figure(height: float) -> Figure:
    """An empty white figure, `_FIGURE_WIDTH` by `height` inches."""
    figure = Figure(figsize=(_FIGURE_WIDTH, height), facecolor="white", layout="constrained")
    FigureCanvasAgg(figure)
    return figure


def new_panels(number: int, *, columns: int, height: float, rest: float) -> tuple[Figure, list[Axes]]:
    """A figure of so many panels, row by row.

    Args:
        number: of panels.
        columns: that a row has at the most.
        height: of a row, in inches.
        rest: inches for what stands beside the panels.
    """
    rows = -(-number // columns)
    figure = new_figure(height * rows + rest)
    panels = figure.subplots(rows, min(columns, number), squeeze=False).ravel().tolist()
    for axes in panels[number:]:
        axes.set_axis_off()
    return figure, panels[:number]


def legend_above(figure: Figure, axes: Axes, columns: int) -> None:
    """What is named in one of the panels, above all of them."""
    handles, labels = axes.get_legend_handles_labels()
    figure.legend(
        handles, labels, loc="outside upper left", ncols=columns, frameon=False, fontsize=9, labelcolor=INK
    )


def style_axes(axes: Axes, title: str = "", *, pad: float | None = None) -> None:
    """Light grid behind the data, two spines, small grey ticks, title at the left, `pad` points above."""
    axes.set_title(title, loc="left", fontsize=9.5, color=INK, fontweight="bold", pad=pad)
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
