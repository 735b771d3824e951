"""Row by row arithmetic around the large products: norms, SiLU gates, scaled residual sums.

Written in torch for any device and dtype, and compiled for the CPU in float32, where torch's many passes
through memory are the price. Inside `torch.compile` the torch form runs: the compiler fuses it itself.
"""

from importlib import import_module
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional

from lifecode.errors import UserError
from lifecode.ops.delta_rule.boundary import numba_problem

BACKENDS = ("auto", "torch", "native")
LANES = 16


def rms_norm(
    x: Tensor, weight: Tensor, *, eps: float, gate: Tensor | None = None, backend: str = "auto"
) -> Tensor:
    """x / sqrt(mean(x^2) + eps) * weight over the last axis, multiplied by SiLU(gate) if there is one.

    Args:
        x: (..., C).
        weight: (C,), of the dtype of `x`.
        eps: added to the mean square.
        gate: shaped as `x`.
        backend: `torch`, `native` (float32 on the CPU, C a multiple of 16), or `auto`.

    Returns:
        (..., C) in the dtype of `x`.

    Raises:
        UserError: a backend that does not exist or cannot run here.
    """
    operands = [x, weight] if gate is None else [x, weight, gate]
    if (native := _native(backend, *operands)) is not None:
        gate = None if gate is None else gate.reshape(-1, x.shape[-1])
        rows = native.native_normalise(x.reshape(-1, x.shape[-1]), weight, gate, 1 / x.shape[-1], eps)
        return rows.view(x.shape)
    normed = functional.rms_norm(x, x.shape[-1:], weight, eps)
    return normed if gate is None else normed * functional.silu(gate)


def l2_norm(x: Tensor, *, eps: float, backend: str = "auto") -> Tensor:
    """x / sqrt(sum(x^2) + eps) over the last axis of (..., C); arguments and errors as for `rms_norm`."""
    if (native := _native(backend, x)) is not None:
        rows = native.native_normalise(x.reshape(-1, x.shape[-1]), x.new_ones(x.shape[-1]), None, 1.0, eps)
        return rows.view(x.shape)
    return x * torch.rsqrt(x.square().sum(-1, keepdim=True) + eps)


def silu_gate(gate: Tensor, x: Tensor, *, backend: str = "auto") -> Tensor:
    """SiLU(gate) * x of two tensors (..., C); `backend` and errors as for `rms_norm`."""
    if (native := _native(backend, x, gate)) is not None:
        gate_rows, rows = (y.reshape(-1, x.shape[-1]) for y in (gate, x))
        return native.native_gate(gate_rows, rows).view(x.shape)
    return functional.silu(gate) * x


def scaled_sum(x: Tensor, branch: Tensor, weight: Tensor, *, backend: str = "auto") -> Tensor:
    """x + weight * branch, with a weight (C,) for each feature of (..., C); otherwise as `rms_norm`."""
    if (native := _native(backend, x, branch, weight)) is not None:
        rows, branch_rows = (y.reshape(-1, x.shape[-1]) for y in (x, branch))
        return native.native_scaled_sum(rows, branch_rows, weight).view(x.shape)
    return x + branch * weight


def _native(backend: str, x: Tensor, *others: Tensor) -> Any:
    """The module of the compiled kernels if they are to run, else None."""
    if backend not in BACKENDS:
        raise UserError(f"backend {backend!r} is unknown", remedy=f"Use one of {', '.join(BACKENDS)}.")
    if backend == "torch" or torch.compiler.is_compiling():
        return None
    problem = _problem((x, *others))
    if problem is None:
        return import_module("lifecode.ops.rows.native")
    if backend == "native":
        raise UserError(f"backend 'native' cannot run: {problem}", remedy="Use 'auto' or 'torch'.")
    return None


def _problem(operands: tuple[Tensor, ...]) -> str | None:
    """Why the compiled kernels cannot run, or None."""
    for x in operands:
        if x.device.type != "cpu" or x.dtype != torch.float32:
            return f"it needs float32 on the CPU, not {x.dtype} on {x.device}"
    if operands[0].shape[-1] % LANES:
        return f"it needs a multiple of {LANES} columns, not {operands[0].shape[-1]}"
    return numba_problem()
