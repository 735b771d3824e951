"""The short convolution on CUDA through flash-linear-attention's Triton kernel, SiLU included.

One kernel reads the row once for all W positions, where the torch backend makes a shifted copy of the row for
each. The kernel looks back only: `reverse` flips each segment before and after.
"""

from torch import Tensor

from lifecode.ops.fla.kernels import fla_kernel, fla_kernel_problem
from lifecode.ops.fla.segments import device_segments, reverse_segments

_KERNEL = ("fla.modules.causal_conv1d", "causal_conv1d")


def fla_convolution_problem() -> str | None:
    """Why flash-linear-attention's convolution cannot be used here, or None if it can."""
    return fla_kernel_problem(*_KERNEL)


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
    output, _ = fla_kernel(*_KERNEL)(
        reverse_segments(x, segments) if reverse else x,
        weight,
        activation="silu" if silu else None,
        cu_seqlens=None if segments is None else segments.cu_seqlens,
        chunk_indices=None if segments is None else segments.chunks,
    )
    return reverse_segments(output, segments) if reverse else output
