"""Where the time of a run went, as a bar for each part, and durations in words."""

from collections.abc import Mapping

from matplotlib.figure import Figure

from lifecode.report.charts.figure_style import BLUE, INK, figure_text, new_figure, style_axes


def time_breakdown(seconds: Mapping[str, float]) -> Figure:
    """A horizontal bar for each part, the longest on top, with its time and share of the sum."""
    parts = sorted(seconds.items(), key=lambda part: part[1])
    total = sum(seconds.values())
    figure = new_figure(0.5 + 0.34 * len(parts))
    axes = figure.add_subplot()
    style_axes(axes)
    axes.grid(visible=False)
    axes.spines["bottom"].set_visible(False)
    axes.set_xticks([])
    bars = axes.barh(
        [figure_text(name.replace("_", " ")) for name, _ in parts],
        [value for _, value in parts],
        0.62,
        color=BLUE,
    )
    labels = [f"{duration(value)}  ({_share(value, total)})" for _, value in parts]
    axes.bar_label(bars, labels, padding=5, fontsize=8.5, color=INK)
    axes.tick_params(axis="y", colors=INK, labelsize=9)
    axes.margins(x=0.2)
    axes.set_xlim(left=0)
    return figure


def _share(part: float, total: float) -> str:
    return "<1%" if part < 0.005 * total else f"{part / max(total, 1e-9):.0%}"


def duration(seconds: float) -> str:
    """Two units at most, such as "1 h 04 min", "3 min 12 s", "12 s" or "0.4 s"."""
    if seconds < 10:
        return f"{seconds:.1f} s"
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60:02d} s"
    return f"{whole // 3600} h {whole % 3600 // 60:02d} min"
