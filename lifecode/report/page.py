"""What the pages share: one HTML file that opens offline, with its figures inside it and beside it.

No scripts and nothing to load; a page is written whole or not at all.
"""

import base64
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

from jinja2 import Environment, PackageLoader, StrictUndefined
from matplotlib.figure import Figure

from lifecode.data.durable import replacing
from lifecode.errors import UserError
from lifecode.report.figure_style import save_png


class Drawing(NamedTuple):
    """A figure with its title, and with words for those who cannot see it."""

    figure: Figure
    title: str
    description: str


class Picture(NamedTuple):
    """A drawing as a page shows it: `source` is a data URI."""

    title: str
    source: str
    description: str


def write_page(
    folder: Path, template: str, content: Mapping[str, Any], drawings: Mapping[str, Drawing]
) -> Path:
    """Write `report.html` and `figures/*.png` into a folder, which is made where it is not there.

    Args:
        folder: where to write.
        template: file in `lifecode/report/templates`.
        content: what the template shows.
        drawings: by file name, without suffix; the template gets them as `pictures`.

    Returns:
        The path of `report.html`.

    Raises:
        UserError: if the folder cannot be written to.
    """
    try:
        (folder / "figures").mkdir(parents=True, exist_ok=True)
        pictures = {
            key: _picture(folder / "figures" / f"{key}.png", drawing) for key, drawing in drawings.items()
        }
        with replacing(folder / "report.html") as file:
            file.write(_rendered(template, {**content, "pictures": pictures}).encode())
    except OSError as error:
        raise UserError(
            f"cannot write the report: {error.strerror}",
            source=folder,
            remedy="Make room there; the same command goes on from it",
        ) from error
    return folder / "report.html"


def _picture(path: Path, drawing: Drawing) -> Picture:
    save_png(drawing.figure, path)
    encoded = base64.b64encode(path.read_bytes()).decode("ascii")
    return Picture(drawing.title, f"data:image/png;base64,{encoded}", drawing.description)


def _rendered(template: str, content: Mapping[str, Any]) -> str:
    environment = Environment(
        loader=PackageLoader("lifecode.report"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return environment.get_template(template).render(content)
