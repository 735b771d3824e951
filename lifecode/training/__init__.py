"""The stages of training, and the folder that a run keeps."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from lifecode.training.stages.optimizer import AdamWCosine
    from lifecode.training.trainer import TrainerSettings

__all__ = ["AdamWCosine", "TrainerSettings"]
_HOMES = {"AdamWCosine": "stages.optimizer", "TrainerSettings": "trainer"}


def __getattr__(name: str) -> Any:
    """Imports what is asked for at its first use."""
    if name in _HOMES:
        return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
