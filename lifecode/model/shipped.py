"""Trained models that come with the package: the name is enough, wherever a model folder is asked for."""

from pathlib import Path

_SHIPPED = ("lifecode-mini",)


def shipped_models() -> dict[str, Path]:
    """Name and folder of each model that ships with the package."""
    assets = Path(__file__).resolve().parent.parent / "assets"
    return {name: assets / name for name in _SHIPPED}
