"""The compiled row kernels as differentiable torch functions, for rows in float32 and bfloat16 on the CPU."""

from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor

from lifecode.ops.cpu.array_view import as_array
from lifecode.ops.cpu.buffers import empty
from lifecode.ops.cpu.workers import num_workers, run_on_workers
from lifecode.ops.rows import cpu_kernels as row_kernels
from lifecode.ops.transforms import first_gradients


class Rule(NamedTuple):
    """What is normalised: 1 / sqrt(share * sum(x^2) + eps), and whether SiLU(gate) multiplies the result.

    `kept`: x also goes on as it is, so that it has a second gradient.
    """

    share: np.float32
    eps: np.float32
    gated: bool
    kept: bool


def native_normalise(
    x: Tensor, weight: Tensor, gate: Tensor | None, eps: float, dtype: torch.dtype
) -> Tensor:
    """x / sqrt(mean(x^2) + eps) * weight * SiLU(gate) over the last axis of [N, C], weight (C,) float32."""
    rule = Rule(np.float32(1 / x.shape[-1]), np.float32(eps), gate is not None, False)
    return _Normalise.apply(x, weight, x if gate is None else gate, rule, dtype)


def native_normalise_and_keep(
    x: Tensor, weight: Tensor, eps: float, dtype: torch.dtype
) -> tuple[Tensor, Tensor]:
    """The same without a gate, and x itself: both of its gradients are added up in one pass."""
    rule = Rule(np.float32(1 / x.shape[-1]), np.float32(eps), False, True)
    return _Normalise.apply(x, weight, x, rule, dtype)


def native_gate(x: Tensor) -> Tensor:
    """SiLU(gate) * up of [N, 2 C], the gate to the left."""
    return _Gate.apply(x)


def native_scaled_sum(x: Tensor, branch: Tensor, weight: Tensor) -> Tensor:
    """x + weight * branch of [N, C], weight (C,) in float32."""
    return _ScaledSum.apply(x, branch, weight)


class _Normalise(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, *args: Any) -> Any:
        (x, weight, gate), rule, dtype = (tensor.contiguous() for tensor in args[:3]), args[3], args[4]
        y, inverse = empty(x.shape, dtype), weight.new_empty(len(x))
        _run(row_kernels.normalise_forward, x, weight, gate, y, inverse, rule=rule)
        ctx.save_for_backward(x, weight, gate, inverse)
        ctx.rule = rule
        return (y, args[0]) if rule.kept else y

    @staticmethod
    @first_gradients
    def backward(  # pyright: ignore[reportIncompatibleMethodOverride]
        ctx: Any, *grads: Any
    ) -> tuple[Tensor | None, ...]:
        x, weight, gate, inverse = ctx.saved_tensors
        d_x, parts = empty(x.shape, x.dtype), _parts(x, weight)
        d_gate = empty(x.shape, gate.dtype) if ctx.rule.gated else d_x
        d_y, d_kept = grads[0].contiguous(), grads[1].contiguous() if ctx.rule.kept else d_x
        tensors = (x, weight, gate, inverse, d_y, d_kept, d_x, parts, d_gate)
        _run(row_kernels.normalise_backward, *tensors, rule=ctx.rule)
        return d_x, parts.sum(0), d_gate if ctx.rule.gated else None, None, None


class _Gate(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, *args: Any) -> Tensor:
        x = args[0].contiguous()
        y = empty((len(x), x.shape[1] // 2), x.dtype)
        _run(row_kernels.gate_forward, x, y)
        ctx.save_for_backward(x)
        return y

    @staticmethod
    @first_gradients
    def backward(  # pyright: ignore[reportIncompatibleMethodOverride]
        ctx: Any, *grads: Any
    ) -> Tensor:
        (x,) = ctx.saved_tensors
        d_x = empty(x.shape, x.dtype)
        _run(row_kernels.gate_backward, x, grads[0].contiguous(), d_x)
        return d_x


class _ScaledSum(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, *args: Any) -> Tensor:
        x, branch, weight = (tensor.contiguous() for tensor in args)
        y = empty(x.shape, x.dtype)
        _run(row_kernels.scaled_sum_forward, x, branch, weight, y)
        ctx.save_for_backward(branch, weight)
        return y

    @staticmethod
    @first_gradients
    def backward(  # pyright: ignore[reportIncompatibleMethodOverride]
        ctx: Any, *grads: Any
    ) -> tuple[Tensor | None, ...]:
        branch, weight = ctx.saved_tensors
        d_branch, parts = empty(branch.shape, branch.dtype), _parts(branch, weight)
        _run(row_kernels.scaled_sum_backward, branch, weight, grads[0].contiguous(), d_branch, parts)
        return grads[0], d_branch, parts.sum(0)


def _parts(x: Tensor, weight: Tensor) -> Tensor:
    """Room for the gradient of a weight: a row for each task."""
    return weight.new_empty(_num_tasks(x), len(weight))


def _run(kernel: Any, first: Tensor, *others: Tensor, rule: Rule | None = None) -> None:
    """Calls a row kernel on [N, C] and (C,) or (N,) tensors; the first has the rows."""
    matrices = [as_array(x[None] if x.dim() == 1 else x) for x in (first, *others)]
    workers = range(num_workers(_num_tasks(first)))
    workspaces = [np.empty((1, first.shape[1]), dtype=np.float32) for _ in workers]
    counter = np.zeros(1, dtype=np.int64)
    run_on_workers(kernel, workspaces, counter, *matrices, *([rule] if rule else []))


def _num_tasks(rows: Tensor) -> int:
    return -(-len(rows) // row_kernels.ROWS_PER_TASK)
