"""Row by row arithmetic around the large products: norms, SiLU gates, scaled residual sums.

Written in torch for any device and dtype, and compiled for float32 and bfloat16 on the CPU, where many passes
through memory are torch's price. Inside `torch.compile` the torch form runs: the compiler fuses it itself.
"""

from importlib import import_module
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional

from lifecode.errors import UserError
from lifecode.ops.delta_rule.boundary import numba_problem
from lifecode.ops.transforms import is_transformed

BACKENDS = ("auto", "torch", "native")
LANES = 16
DTYPES = (torch.float32, torch.bfloat16)


def rms_norm(
    x: Tensor,
    weight: Tensor,
    *,
    eps: float,
    gate: Tensor | None = None,
    dtype: torch.dtype | None = None,
    backend: str = "auto",
) -> Tensor:
    """x / sqrt(mean(x^2) + eps) * weight over the last axis, multiplied by SiLU(gate) if there is one.

    Computed in float32 or better.

    Args:
        x: (..., C), any floating dtype.
        weight: (C,).
        eps: added to the mean square.
        gate: shaped as `x`.
        dtype: of the result; None for that of `x`.
        backend: `torch`, `native` (float32 and bfloat16 on the CPU, C a multiple of 16), or `auto`.

    Returns:
        (..., C).

    Raises:
        UserError: a backend that does not exist or cannot run here.
    """
    dtype = dtype or x.dtype
    operands = [x, weight] if gate is None else [x, weight, gate]
    if (native := _native(backend, dtype, *operands)) is not None:
        rows, gate_rows = (None if y is None else y.reshape(-1, x.shape[-1]) for y in (x, gate))
        return native.native_normalise(rows, weight.float(), gate_rows, eps, dtype).view(x.shape)
    full = _at_least_float32(x)
    normed = functional.rms_norm(full, x.shape[-1:], weight.to(full.dtype), eps)
    return (normed if gate is None else normed * functional.silu(gate.to(full.dtype))).to(dtype)


def rms_norm_and_keep(
    x: Tensor, weight: Tensor, *, eps: float, dtype: torch.dtype | None = None, backend: str = "auto"
) -> tuple[Tensor, Tensor]:
    """`rms_norm` of x, and x as it was, for a residual sum: the gradients of both are added in one pass.

    Arguments and errors as for `rms_norm`.
    """
    dtype = dtype or x.dtype
    if (native := _native(backend, dtype, x, weight)) is not None:
        rows = x.reshape(-1, x.shape[-1])
        normed, kept = native.native_normalise_and_keep(rows, weight.float(), eps, dtype)
        return normed.view(x.shape), kept.view(x.shape)
    return rms_norm(x, weight, eps=eps, dtype=dtype, backend="torch"), x


def silu_gate(x: Tensor, *, backend: str = "auto") -> Tensor:
    """SiLU(gate) * up of (..., 2 C), the gate in the left half: (..., C); otherwise as `rms_norm`."""
    width = x.shape[-1] // 2
    if (native := _native(backend, x.dtype, x[..., :width])) is not None:
        return native.native_gate(x.reshape(-1, x.shape[-1])).view(*x.shape[:-1], width)
    gate, up = x.chunk(2, dim=-1)
    return functional.silu(gate) * up


def scaled_sum(x: Tensor, branch: Tensor, weight: Tensor, *, backend: str = "auto") -> Tensor:
    """x + weight * branch, with a weight (C,) for each feature of (..., C), in the dtype of `x`.

    The branch may be of lower precision; otherwise as `rms_norm`.
    """
    if (native := _native(backend, x.dtype, x, branch, weight)) is not None:
        rows, branch_rows = (y.reshape(-1, x.shape[-1]) for y in (x, branch))
        return native.native_scaled_sum(rows, branch_rows, weight.float()).view(x.shape)
    return x + branch.to(x.dtype) * weight.to(x.dtype)


def _at_least_float32(x: Tensor) -> Tensor:
    return x.to(torch.promote_types(x.dtype, torch.float32))


def _native(backend: str, dtype: torch.dtype, x: Tensor, *others: Tensor) -> Any:
    """The module of the compiled kernels if they are to run, else None."""
    if backend not in BACKENDS:
        raise UserError(f"backend {backend!r} is unknown", remedy=f"Use one of {', '.join(BACKENDS)}.")
    if backend == "torch" or torch.compiler.is_compiling():
        return None
    problem = _problem(dtype, (x, *others))
    if problem is None:
        return import_module("lifecode.ops.rows.native")
    if backend == "native":
        raise UserError(f"backend 'native' cannot run: {problem}", remedy="Use 'auto' or 'torch'.")
    return None


def _problem(dtype: torch.dtype, operands: tuple[Tensor, ...]) -> str | None:
    """Why the compiled kernels cannot run, or None."""
    if is_transformed():
        return "it has no transforms of torch.func"
    for x in operands:
        if x.device.type != "cpu" or x.dtype not in DTYPES or dtype not in DTYPES:
            return f"it needs float32 or bfloat16 on the CPU, not {x.dtype} to {dtype} on {x.device}"
    if operands[0].shape[-1] % LANES:
        return f"it needs a multiple of {LANES} columns, not {operands[0].shape[-1]}"
    return numba_problem()
