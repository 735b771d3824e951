"""Depth-wise causal convolution that stops at segment borders, with SiLU: the one before q, k and v.

Source: the short convolution of Gated DeltaNet (Yang et al. 2024), width 4.
"""

from collections.abc import Sequence
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
from lifecode.ops.transforms import is_transformed

BACKENDS = ("auto", "torch", "native", "fla")


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
    options = {"cu_seqlens": cu_seqlens, "reverse": reverse, "activation": activation, "backend": backend}
    return short_convolutions(x, [weight], **options)[0]


@compile_boundary
def short_convolutions(
    x: Tensor,
    weights: Sequence[Tensor],
    *,
    cu_seqlens: Tensor | None = None,
    reverse: bool = False,
    activation: str | None = "silu",
    backend: str = "auto",
) -> list[Tensor]:
    """Convolve groups of channels that lie side by side, each into a tensor of its own.

    Args:
        x: [B, T, C1 + C2 + ...], of one product with the weights of q, k and v, say.
        weights: [C1, W], [C2, W], ...
        cu_seqlens: like the other arguments and errors as for `short_convolution`.
        reverse: look at the following positions instead of the preceding ones.
        activation: `silu` or None.
        backend: for all of them.

    Returns:
        [B, T, C1], [B, T, C2], ... in the dtype of `x`.
    """
    borders = _check_inputs(x, weights, cu_seqlens, activation)
    channels = [len(weight) for weight in weights]
    require_finite("short convolution", x=x, **{f"weight{i or ''}": w for i, w in enumerate(weights)})
    name, silu = resolve_convolution_backend(backend, x, channels), activation == "silu"
    if name == "native":
        native = import_module("lifecode.ops.convolution.native").native_convolutions
        full = x if x.dtype == torch.bfloat16 else x.float()
        outputs = native(full, [weight.float() for weight in weights], borders, reverse, silu)
        return [output.to(x.dtype) for output in outputs]
    parts = zip(x.split(channels, dim=2), weights, strict=True)
    if name == "fla":
        return [fla_convolution(part, weight, borders, reverse, silu) for part, weight in parts]
    convolved = [_convolve(part, weight.to(x.dtype), cu_seqlens, reverse) for part, weight in parts]
    return [F.silu(part) for part in convolved] if silu else convolved


def resolve_convolution_backend(backend: str, x: Tensor, channels: Sequence[int] | None = None) -> str:
    """Name of the backend, `torch`, `native` or `fla`, that runs for this input.

    Args:
        backend: that was asked for.
        x: [B, T, C].
        channels: numbers of channels of the groups in it; all C are one group if None.

    Raises:
        UserError: `backend` is unknown or cannot run in this situation.
    """
    if backend not in BACKENDS:
        raise UserError(f"backend {backend!r} is unknown", remedy=f"Use one of {', '.join(BACKENDS)}.")
    if backend == "auto":
        preferred = {"cuda": "fla", "cpu": "native"}.get(x.device.type, "torch")
        return "torch" if _problem(preferred, x, channels) else preferred
    problem = _problem(backend, x, channels)
    if problem:
        raise UserError(f"backend {backend!r} cannot run: {problem}", remedy="Use 'auto' or 'torch'.")
    return backend


def _problem(backend: str, x: Tensor, channels: Sequence[int] | None) -> str | None:
    """Why a backend cannot run, or None."""
    if backend == "torch":
        return None
    device = "cuda" if backend == "fla" else "cpu"
    if x.device.type != device or x.dtype == torch.float64:
        return f"it needs {device.upper()} tensors of at most float32, not {x.dtype} on {x.device}"
    if backend == "fla":
        return fla_convolution_problem()
    if is_transformed():
        return "it has no transforms of torch.func"
    if odd := [number for number in channels or x.shape[2:] if number % 16]:
        return f"it needs a multiple of 16 channels, not {odd[0]}"
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
    x: Tensor, weights: Sequence[Tensor], cu_seqlens: Tensor | None, activation: str | None
) -> tuple[int, ...] | None:
    if x.dim() != 3:
        raise UserError(f"x must have shape [B, T, C], not {list(x.shape)}")
    shapes = [list(weight.shape) for weight in weights]
    if any(len(shape) != 2 or shape[1] == 0 for shape in shapes) or x.shape[2] != sum(s[0] for s in shapes):
        raise UserError(f"weight must have shape [{x.shape[2]}, W], not {', '.join(map(str, shapes))}")
    for weight in weights:
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
