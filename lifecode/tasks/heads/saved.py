"""A fitted head in a safetensors file, found again by its kind; no pickle."""

from pathlib import Path

import numpy as np
from safetensors import SafetensorError
from safetensors.numpy import load_file, save_file

from lifecode.errors import UserError
from lifecode.tasks.heads.head import FittedHead
from lifecode.tasks.heads.registry import FROM_ARRAYS


def save_head(head: FittedHead, path: Path) -> None:
    """Write the arrays of a head."""
    save_file({name: np.ascontiguousarray(array) for name, array in head.arrays.items()}, path)


def load_head(kind: str, path: Path) -> FittedHead:
    """The head of this kind whose arrays a file holds.

    Raises:
        UserError: the file is damaged, or the kind is none of this version.
    """
    try:
        return FROM_ARRAYS[kind](load_file(path))
    except (KeyError, IndexError, OSError, ValueError, SafetensorError) as fault:
        raise UserError(
            f"holds no {kind} head ({fault})",
            source=path,
            remedy="The file was changed or damaged: copy it again",
        ) from fault
