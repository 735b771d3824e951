"""Arrays in one safetensors file, read through a memory map.

safetensors' own reader copies an array when it is asked for; mapped, a look-up touches only its pages.
"""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from safetensors.numpy import save

from lifecode.errors import UserError

_DTYPES = {"F16": np.dtype("<f2"), "I64": np.dtype("<i8"), "I32": np.dtype("<i4"), "U8": np.dtype("u1")}


class ArrayFile(NamedTuple):
    """The content of one file: text by key, and memory-mapped arrays by name."""

    metadata: dict[str, str]
    arrays: dict[str, NDArray]


def serialized(arrays: Mapping[str, NDArray], metadata: Mapping[str, str]) -> bytes:
    """The bytes of a safetensors file of float16, int64, int32 and uint8 arrays."""
    return save({name: np.ascontiguousarray(array) for name, array in arrays.items()}, dict(metadata))


def map_arrays(path: Path) -> ArrayFile:
    """The arrays of a file that `serialized` made, read-only.

    Raises:
        UserError: the file is cut short or no such file.
    """
    try:
        content = np.memmap(path, mode="r")
        size = int.from_bytes(content[:8].tobytes(), "little")
        header = json.loads(content[8 : 8 + size].tobytes())
        metadata = header.pop("__metadata__", {})
        arrays = {name: _array(content[8 + size :], **entry) for name, entry in header.items()}
    except FileNotFoundError:
        raise
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise UserError("is no whole file of stored arrays", source=path) from error
    return ArrayFile(metadata, arrays)


def _array(content: NDArray, *, dtype: str, shape: list[int], data_offsets: list[int]) -> NDArray:
    first, last = data_offsets
    return np.asarray(content)[first:last].view(_DTYPES[dtype]).reshape(shape)
