"""Depth-wise causal convolution that stops at segment borders, with SiLU: the one before q, k and v.

Source: the short convolution of Gated DeltaNet (Yang et al. 2024), width 4.
"""

from importlib import import_module

import torch
import torch.nn.functional as F
from torch import Tensor

from lifecode.errors import UserError
from lifecode.ops.compile_boundary import compile_boundary
from lifecode.ops.convolution.fla import fla_convolution, fla_convolution_problem
from lifecode.ops.delta_rule.boundary import numba_problem
from lifecode.ops.finite import require_finite
from lifecode.ops.segments import check_cu_seqlens, positions_in_segment

BACKENDS = ("auto", "torch", "native", "fla")


@compile_boundary
def short_convolution(
    x: Tensor,
    weight: Tensor,
    *,
    cu_seqlens: Tensor | None = None,
    reverse: bool = False,
    activation: str | None = "silu",
    backend: str = "auto",
) -> Tensor:
    """Convolve each channel with its own few weights over the current and the preceding positions.

    Equals `torch.nn.Conv1d(C, C, W, groups=C, padding=W - 1, bias=False)` cut to T positions, with zeros
    beyond the border of a segment.

    Args:
        x: [B, T, C].
        weight: [C, W]; `weight[:, -1]` multiplies the current position.
        cu_seqlens: int (S + 1,), borders of the segments packed into one row (B is then 1).
        reverse: look at the following positions instead of the preceding ones.
        activation: `silu` or None.
        backend: `torch` (any device), `native` (compiled for the CPU: float32 arithmetic, C a multiple of
            16), `fla` (flash-linear-attention's kernel on CUDA: float32 arithmetic) or `auto`, which takes
            `native` on a CPU and `fla` on CUDA where they can run, `torch` otherwise.

    Returns:
        [B, T, C] in the dtype of `x`.

    Raises:
        UserError: shapes that do not fit together, wrong borders, an unknown activation, or a backend
            that does not exist or cannot run here.
    """
    borders = _check_inputs(x, weight, cu_seqlens, activation)
    require_finite("short convolution", x=x, weight=weight)
    name, silu = resolve_convolution_backend(backend, x), activation == "silu"
    if name == "fla":
        return fla_convolution(x, weight, borders, reverse, silu)
    if name == "native":
        native = import_module("lifecode.ops.convolution.native").native_convolution
        return native(x.float(), weight.float(), borders, reverse, silu).to(x.dtype)
    convolved = _convolve(x, weight.to(x.dtype), cu_seqlens, reverse)
    return F.silu(convolved) if silu else convolved


def resolve_convolution_backend(backend: str, x: Tensor) -> str:
    """Name of the backend, `torch`, `native` or `fla`, that runs for this input.

    Raises:
        UserError: `backend` is unknown or cannot run in this situation.
    """
    if backend not in BACKENDS:
        raise UserError(f"backend {backend!r} is unknown", remedy=f"Use one of {', '.join(BACKENDS)}.")
    if backend == "auto":
        preferred = {"cuda": "fla", "cpu": "native"}.get(x.device.type, "torch")
        return "torch" if _problem(preferred, x) else preferred
    problem = _problem(backend, x)
    if problem:
        raise UserError(f"backend {backend!r} cannot run: {problem}", remedy="Use 'auto' or 'torch'.")
    return backend


def _problem(backend: str, x: Tensor) -> str | None:
    """Why a backend cannot run, or None."""
    if backend == "torch":
        return None
    device = "cuda" if backend == "fla" else "cpu"
    if x.device.type != device or x.dtype == torch.float64:
        return f"it needs {device.upper()} tensors of at most float32, not {x.dtype} on {x.device}"
    if backend == "fla":
        return fla_convolution_problem()
    if x.shape[2] % 16:
        return f"it needs a multiple of 16 channels, not {x.shape[2]}"
    return numba_problem()


def _convolve(x: Tensor, weight: Tensor, cu_seqlens: Tensor | None, reverse: bool) -> Tensor:
    length = x.shape[1]
    behind = torch.arange(length, device=x.device)
    if cu_seqlens is not None:
        behind = positions_in_segment(cu_seqlens.to(x.device), length)
        if reverse:
            after = cu_seqlens.to(x.device).diff().repeat_interleave(cu_seqlens.to(x.device).diff())
            behind = after - 1 - behind
    elif reverse:
        behind = behind.flip(0)
    output = x * weight[:, -1]
    for distance in range(1, min(weight.shape[1], length)):
        # Rows beyond the row's end come from the padding, rows of another segment are masked.
        pad = (0, 0, 0, distance) if reverse else (0, 0, distance, 0)
        shifted = F.pad(x, pad)[:, distance:] if reverse else F.pad(x, pad)[:, :length]
        inside = (behind >= distance)[:, None]
        output = output + torch.where(inside, shifted, 0) * weight[:, -1 - distance]
    return output


def _check_inputs(
    x: Tensor, weight: Tensor, cu_seqlens: Tensor | None, activation: str | None
) -> tuple[int, ...] | None:
    if x.dim() != 3:
        raise UserError(f"x must have shape [B, T, C], not {list(x.shape)}")
    if weight.dim() != 2 or weight.shape[0] != x.shape[2] or weight.shape[1] == 0:
        raise UserError(f"weight must have shape [{x.shape[2]}, W], not {list(weight.shape)}")
    if not x.is_floating_point() or not weight.is_floating_point():
        raise UserError(f"x and weight must be floating-point tensors, not {x.dtype} and {weight.dtype}")
    if x.device != weight.device:
        raise UserError(f"weight is on {weight.device} but x is on {x.device}")
    if activation not in ("silu", None):
        raise UserError(f"activation {activation!r} is unknown", remedy="Use 'silu' or None.")
    if cu_seqlens is None:
        return None
    if x.shape[0] != 1:
        raise UserError(f"cu_seqlens needs one packed row, B = 1, not B = {x.shape[0]}")
    return check_cu_seqlens(cu_seqlens, x.shape[1])
