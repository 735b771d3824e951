"""What the pages share: one HTML file that opens offline, with its figures inside it and beside it.

No scripts and nothing to load; a page is written whole or not at all.
"""

import base64
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

from jinja2 import Environment, PackageLoader, StrictUndefined
from matplotlib.figure import Figure

from lifecode.errors import UserError
from lifecode.host.durable import replacing
from lifecode.host.exclusive import exclusive
from lifecode.host.own_folder import require_own
from lifecode.names import visible
from lifecode.report.charts.figure_style import png_bytes

_LOCK = ".report.lock"


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
    folder: Path,
    template: str,
    content: Mapping[str, Any],
    drawings: Mapping[str, Drawing],
    texts: Mapping[str, str] | None = None,
) -> Path:
    """Write `report.html` and `figures/*.png` into a folder, which is made where it is not there.

    Of several processes that do so at once the second waits for the first.

    Args:
        folder: where to write.
        template: file in `lifecode/report/templates`.
        content: what the template shows.
        drawings: by file name, without suffix; the template gets them as `pictures`.
        texts: further files, by name.

    Returns:
        The path of `report.html`.

    Raises:
        UserError: if the folder cannot be written to.
    """
    require_own(folder / "figures", inside=folder)
    try:
        (folder / "figures").mkdir(parents=True, exist_ok=True)
        images = {key: png_bytes(drawing.figure) for key, drawing in drawings.items()}
        pictures = {key: _picture(image, drawings[key]) for key, image in images.items()}
        page = _rendered(template, {**content, "pictures": pictures})
        files = {f"figures/{key}.png": image for key, image in images.items()}
        files |= {name: text.encode() for name, text in (texts or {}).items()}
        with exclusive(folder / _LOCK, "writing a report"):
            for name, data in {**files, "report.html": page.encode()}.items():
                with replacing(folder / name) as file:
                    file.write(data)
    except OSError as error:
        raise UserError(
            f"cannot write the report: {error.strerror}",
            source=folder,
            remedy="Make room there; the same command goes on from it",
        ) from error
    return folder / "report.html"


def _picture(image: bytes, drawing: Drawing) -> Picture:
    encoded = base64.b64encode(image).decode("ascii")
    return Picture(drawing.title, f"data:image/png;base64,{encoded}", drawing.description)


def _rendered(template: str, content: Mapping[str, Any]) -> str:
    environment = Environment(
        loader=PackageLoader("lifecode.report"),
        autoescape=True,
        finalize=lambda value: visible(value, keep="\n\t") if type(value) is str else value,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return environment.get_template(template).render(content)
