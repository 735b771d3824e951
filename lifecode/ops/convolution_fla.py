"""The short convolution on CUDA through flash-linear-attention's Triton kernel, SiLU included.

One kernel reads the row once for all W positions, where the torch backend makes a shifted copy of the row for
each. The kernel looks back only: `reverse` flips each segment before and after.
"""

from functools import cache
from importlib import import_module
from typing import Any

from torch import Tensor

from lifecode.ops.segments_fla import device_segments, reverse_segments


@cache
def fla_convolution_problem() -> str | None:
    """Why flash-linear-attention's convolution cannot be used here, or None if it can."""
    try:
        _causal_conv1d()
    except Exception as error:  # a broken Triton raises more than ImportError
        return f"flash-linear-attention cannot be imported ({type(error).__name__}: {error})"
    return None


@cache
def _causal_conv1d() -> Any:
    return import_module("fla.modules.causal_conv1d").causal_conv1d


def fla_convolution(
    x: Tensor, weight: Tensor, borders: tuple[int, ...] | None, reverse: bool, silu: bool
) -> Tensor:
    """Compute what `short_convolution` computes on CUDA tensors, with float32 sums under any dtype.

    Args:
        x: [B, T, C] in float32, bfloat16 or float16.
        weight: [C, W], also in another dtype than `x`.
        borders: segment borders of the packed row (then B is 1), or None.
        reverse: look at the following positions.
        silu: apply SiLU to the result.

    Returns:
        [B, T, C] in the dtype of `x`.
    """
    if x.numel() == 0:
        return x
    segments = None if borders is None else device_segments(borders, x.device)
    output, _ = _causal_conv1d()(
        reverse_segments(x, segments) if reverse else x,
        weight,
        activation="silu" if silu else None,
        cu_seqlens=None if segments is None else segments.cu_seqlens,
        chunk_indices=None if segments is None else segments.chunks,
    )
    return reverse_segments(output, segments) if reverse else output
