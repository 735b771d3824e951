"""Trained models that come with the package: the name is enough, wherever a model folder is asked for."""

from pathlib import Path

import lifecode

_SHIPPED = {
    "lifecode-mini": "lifecode-mini",
    "lifecode-mini@1": "lifecode-mini-1",
    "lifecode-tiny": "lifecode-tiny",
}
"""Folder of each name. The one without a number is the newest edition; one with it stays what it is."""


def shipped_models() -> dict[str, Path]:
    """Name and folder of each model that ships with the package."""
    assets = Path(lifecode.__file__).resolve().parent / "assets"
    return {name: assets / folder for name, folder in _SHIPPED.items()}
