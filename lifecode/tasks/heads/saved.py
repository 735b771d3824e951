"""A fitted head in a safetensors file, found again by its kind; no pickle."""

from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError
from safetensors.numpy import load_file, save_file

from lifecode.errors import UserError
from lifecode.tasks.heads.head import FittedHead
from lifecode.tasks.heads.logistic import LinearClasses
from lifecode.tasks.heads.memberships import Memberships
from lifecode.tasks.heads.ridge import LinearValues
from lifecode.tasks.heads.stack import Stack

_KINDS: dict[str, Callable[[Mapping[str, NDArray]], FittedHead]] = {
    LinearValues.kind: LinearValues.from_arrays,
    LinearClasses.kind: LinearClasses.from_arrays,
    Memberships.kind: Memberships.from_arrays,
    Stack.kind: Stack.from_arrays,
}


def save_head(head: FittedHead, path: Path) -> None:
    """Write the arrays of a head."""
    save_file({name: np.ascontiguousarray(array) for name, array in head.arrays.items()}, path)


def load_head(kind: str, path: Path) -> FittedHead:
    """The head of this kind whose arrays a file holds.

    Raises:
        UserError: the file is damaged, or the kind is none of this version.
    """
    try:
        return _KINDS[kind](load_file(path))
    except (KeyError, IndexError, OSError, ValueError, SafetensorError) as fault:
        raise UserError(
            f"holds no {kind} head ({fault})",
            source=path,
            remedy="The file was changed or damaged: copy it again",
        ) from fault
