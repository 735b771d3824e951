"""Trained models that come with the package: the name is enough, wherever a model folder is asked for."""

from pathlib import Path

import lifecode

_SHIPPED = ("lifecode-mini",)


def shipped_models() -> dict[str, Path]:
    """Name and folder of each model that ships with the package."""
    assets = Path(lifecode.__file__).resolve().parent / "assets"
    return {name: assets / name for name in _SHIPPED}
