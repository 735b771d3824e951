"""Where the segments of a packed row begin and end, and the index arithmetic that follows from it.

`cu_seqlens` is an integer tensor of shape (S + 1,): 0, the cumulative lengths of S segments, and finally
the length of the row. Segment s covers the positions `cu_seqlens[s] : cu_seqlens[s + 1]`; it may be empty.
"""

from functools import lru_cache

import numpy as np
import torch
from torch import Tensor
from torch.utils.weak import WeakIdKeyDictionary

from lifecode.errors import UserError
from lifecode.ops.compile_boundary import compile_boundary
from lifecode.ops.transforms import outside_transforms, without_transforms

# Borders that were already read, by tensor object, of tensors that are not on the CPU: reading one stalls the
# device, and a model passes the same `cu_seqlens` through all its layers.
_read: WeakIdKeyDictionary = WeakIdKeyDictionary()


def check_cu_seqlens(cu_seqlens: Tensor, total: int) -> tuple[int, ...]:
    """Check the segment borders of a packed row and return them as Python integers.

    On the CPU they are read at every call, so a change in place is seen however it was made. On another
    device it is seen if torch counts it, as it does not through `.data` or an array that shares the memory.

    Args:
        cu_seqlens: int32 or int64 (S + 1,), S >= 1, on any device.
        total: number of positions in the row.

    Returns:
        The S + 1 borders.

    Raises:
        UserError: wrong type or shape, a first border other than 0, a last one other than `total`, or a
            border smaller than the one before it.
    """
    if torch.compiler.is_exporting() or torch.jit.is_tracing():
        raise UserError(
            "a model that reads packed rows cannot be exported or traced: it takes the borders as numbers",
            remedy="Keep it by save_pretrained(FOLDER), and speed it up by torch.compile(model)",
        )
    if cu_seqlens.dtype not in (torch.int32, torch.int64):
        raise UserError(f"cu_seqlens must be int32 or int64, not {cu_seqlens.dtype}")
    if cu_seqlens.dim() != 1 or cu_seqlens.numel() < 2:
        raise UserError(f"cu_seqlens must have shape (segments + 1,), not {tuple(cu_seqlens.shape)}")
    with outside_transforms():
        content = _bytes_of(without_transforms(cu_seqlens))
    return _checked(content, str(cu_seqlens.dtype).removeprefix("torch."), total)


def _bytes_of(cu_seqlens: Tensor) -> bytes:
    if cu_seqlens.device.type == "cpu":
        return cu_seqlens.detach().numpy().tobytes()
    # Inference tensors carry no version counter, so a change in place could not be seen.
    version = None if cu_seqlens.is_inference() else cu_seqlens._version
    known = _read.get(cu_seqlens)
    if version is not None and known is not None and known[0] == version:
        return known[1]
    content = cu_seqlens.detach().cpu().numpy().tobytes()
    _read[cu_seqlens] = (version, content)
    return content


@lru_cache(maxsize=64)
def _checked(content: bytes, dtype: str, total: int) -> tuple[int, ...]:
    """The borders in these bytes; the layers of a model ask for the same ones."""
    borders = np.frombuffer(content, dtype=dtype)
    if borders[0] != 0:
        raise UserError(f"cu_seqlens must start at 0, not at {borders[0]}")
    if (shrinks := np.flatnonzero(borders[1:] < borders[:-1])).size:
        segment = int(shrinks[0])
        start, end = borders[segment], borders[segment + 1]
        raise UserError(f"cu_seqlens must not decrease: segment {segment} runs from {start} to {end}")
    if borders[-1] != total:
        raise UserError(f"cu_seqlens must end at the row's length {total}, not at {borders[-1]}")
    return tuple(borders.tolist())


@compile_boundary
def segment_ids(cu_seqlens: Tensor, total: int) -> Tensor:
    """Number of the segment each position belongs to, int64 (total,)."""
    check_cu_seqlens(cu_seqlens, total)
    numbers = torch.arange(len(cu_seqlens) - 1, device=cu_seqlens.device)
    return torch.repeat_interleave(numbers, cu_seqlens.diff().long(), output_size=total)


@compile_boundary
def positions_in_segment(cu_seqlens: Tensor, total: int) -> Tensor:
    """Distance of each position from the start of its segment, int64 (total,)."""
    starts = cu_seqlens[:-1].long()[segment_ids(cu_seqlens, total)]
    return torch.arange(total, device=cu_seqlens.device) - starts


@compile_boundary
def reverse_segments_index(cu_seqlens: Tensor, total: int) -> Tensor:
    """Index that reverses every segment where it lies, int64 (total,).

    `x[:, index]` reads each segment from its last position to its first; the index is its own inverse.
    """
    ids = segment_ids(cu_seqlens, total)
    mirrored = (cu_seqlens[:-1] + cu_seqlens[1:]).long()[ids] - 1
    return mirrored - torch.arange(total, device=cu_seqlens.device)
