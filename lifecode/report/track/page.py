"""The page of a region: its picture, what it shows, and the files with the values."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from matplotlib.figure import Figure

from lifecode.host.installed import installed_versions
from lifecode.names import display_name
from lifecode.report.charts.figure_style import plain_settings
from lifecode.report.page import Drawing, write_page


@plain_settings
def write_track_report(
    folder: Path,
    region: str,
    figure: Figure,
    *,
    quantity: str,
    meaning: str,
    settings: Mapping[str, object],
    files: Sequence[str],
) -> Path:
    """Write `report.html` and `figures/region.png` into a folder.

    Args:
        folder: where the tracks are.
        region: as people write it.
        figure: its picture.
        quantity: what is shown, with its unit.
        meaning: what that is, in words.
        settings: by name, as used.
        files: names of the tracks.

    Returns:
        The path of `report.html`.

    Raises:
        UserError: if the folder cannot be written to.
    """
    name = display_name(region)
    content = {
        "kind": "Track along a genome",
        "name": name,
        "verdict": "",
        "key_figures": [(key, display_name(value, 40)) for key, value in settings.items()],
        "quantity": quantity,
        "meaning": meaning,
        "files": [display_name(file) for file in files],
        "versions": installed_versions("lifecode", "torch", "matplotlib"),
    }
    drawing = Drawing(figure, quantity, f"{quantity} along {name}, coding sequences as arrows")
    return write_page(folder, "track.html.jinja", content, {"region": drawing})
