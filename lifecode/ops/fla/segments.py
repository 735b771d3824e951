"""What flash-linear-attention's kernels are told about the segments of a packed row, kept on the device.

Every layer of a model runs over the same borders. Built anew in each call, these few integers would cost each
layer a copy to the device, and flash-linear-attention would wait for the device to count its chunks.
"""

from functools import lru_cache
from importlib import import_module
from typing import NamedTuple

import torch
from torch import Tensor

from lifecode.ops.segments import reverse_segments_index

# Positions that one program of a kernel works on: the default of the delta rule and of the convolution.
CHUNK_POSITIONS = 64


class DeviceSegments(NamedTuple):
    """Segments of one packed row of T positions, on the device of the row.

    Attributes:
        cu_seqlens: int64 (S + 1,), borders of the segments.
        chunks: int64 (chunks, 2), segment of each chunk and its number in there; an empty segment has none.
        mirror: int64 (T,), the index that reverses every segment where it lies.
    """

    cu_seqlens: Tensor
    chunks: Tensor
    mirror: Tensor


@lru_cache(maxsize=16)
def device_segments(borders: tuple[int, ...], device: torch.device) -> DeviceSegments:
    """Put the segments between these borders on a device; the last sixteen different ones are remembered."""
    # A tensor made in inference mode could not be saved for a later backward pass.
    with torch.inference_mode(False):
        cu_seqlens = torch.tensor(borders)
        chunks = import_module("fla.ops.utils").prepare_chunk_indices(cu_seqlens, CHUNK_POSITIONS)
        mirror = reverse_segments_index(cu_seqlens, borders[-1])
        return DeviceSegments(cu_seqlens.to(device), chunks.to(device), mirror.to(device))


def reverse_segments(x: Tensor, segments: DeviceSegments | None) -> Tensor:
    """Reverse each segment of `x` [1, T, ...] where it lies, or every row of `x` [B, T, ...] if None."""
    return x.flip(1) if segments is None else x.index_select(1, segments.mirror)
