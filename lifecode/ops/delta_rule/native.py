"""The compiled gated delta rule as one differentiable torch function.

Beyond its outputs a call keeps what the adjoint needs: r (as many numbers as v) and one state every 64 steps.
q, k, v, the outputs and their gradients are float32 or bfloat16, as they are given; all the rest is float32.
"""

from typing import Any

import numpy as np
import torch
from torch import Tensor

from lifecode.ops.cpu.array_view import as_array
from lifecode.ops.cpu.buffers import empty
from lifecode.ops.cpu.workers import num_workers, run_on_workers
from lifecode.ops.delta_rule.backward import backward
from lifecode.ops.delta_rule.forward import forward
from lifecode.ops.delta_rule.kernel_call import (
    Gradients,
    Inputs,
    KernelCall,
    Outputs,
    kernel_call,
    make_workspace,
    saved_shape,
)
from lifecode.ops.transforms import first_gradients


def native_gated_delta_rule(
    q: Tensor,
    k: Tensor,
    v: Tensor,
    g: Tensor,
    beta: Tensor,
    *,
    scale: float,
    norm_eps: float | None,
    borders: tuple[int, ...] | None,
    reverse: bool,
    initial_state: Tensor,
) -> tuple[Tensor, Tensor]:
    """Compute what `recurrent_gated_delta_rule` computes, on the CPU with arithmetic in float32.

    Args:
        q: like k and v in float32 or bfloat16.
        k: keys.
        v: values.
        g: as the rest in float32.
        beta: write strength.
        scale: factor on the queries.
        norm_eps: if given, q and k are divided by sqrt(sum(x^2) + norm_eps) first.
        borders: segment borders of the packed row, or None.
        reverse: run each segment from its last position to its first.
        initial_state: [S, H, K, V].

    Returns:
        Outputs [B, T, H, V] and the final states, shaped as `initial_state`.
    """
    batch, length, heads, key_size = q.shape
    if borders is None:
        borders = tuple(length * row for row in range(batch + 1))
    call = kernel_call(borders, heads, key_size, v.shape[3], scale=scale, norm_eps=norm_eps, reverse=reverse)
    matrices = [x.flatten(2).flatten(0, 1) for x in (q, k, v, g, beta)]
    state = initial_state.flatten(0, 2)
    output, final = _GatedDeltaRule.apply(*matrices, state, call)
    return output.view(v.shape), final.view(initial_state.shape)


class _GatedDeltaRule(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, *args: Any) -> tuple[Tensor, Tensor]:
        q, k, v, g, beta, initial_state, call = args
        keep = any(ctx.needs_input_grad)
        inputs = [x.contiguous() for x in (q, k, v, g.exp(), beta, initial_state)]
        output, final = empty(v.shape, v.dtype), empty(initial_state.shape)
        r = empty(v.shape if keep else (0, 16))
        saved = empty(saved_shape(call) if keep else (0, 16))
        outputs = [output, r, final, saved]
        _run(forward, call, Inputs(*_arrays(inputs)), Outputs(*_arrays(outputs)), call, keep)
        if keep:
            ctx.save_for_backward(*inputs, r, saved)
            ctx.call = call
            ctx.set_materialize_grads(False)
        return output, final

    @staticmethod
    @first_gradients
    def backward(  # pyright: ignore[reportIncompatibleMethodOverride]
        ctx: Any, *grads: Any
    ) -> tuple[Tensor | None, ...]:
        *inputs, r, saved = ctx.saved_tensors
        call: KernelCall = ctx.call
        q, k, v, decay, beta, initial_state = inputs
        d_output, d_final = (
            torch.zeros_like(x) if grad is None else grad.contiguous()
            for x, grad in zip((v, initial_state), grads, strict=True)
        )
        d_q, d_k, d_g, d_beta = (
            empty((call.groups * len(x), x.shape[1]), x.dtype) for x in (q, k, decay, beta)
        )
        d_v, d_initial = empty(v.shape, v.dtype), empty(initial_state.shape)
        gradients = [d_output, d_final, d_q, d_k, d_v, d_g, d_beta, d_initial]
        saves = Outputs(*_arrays([v[:0], r, initial_state[:0], saved]))
        _run(backward, call, Inputs(*_arrays(inputs)), saves, Gradients(*_arrays(gradients)), call)
        if call.groups > 1:
            d_q, d_k, d_g, d_beta = (
                x.unflatten(0, (call.groups, -1)).sum(0) for x in (d_q, d_k, d_g, d_beta)
            )
        return d_q, d_k, d_v, d_g, d_beta, d_initial, None


def _run(kernel: Any, call: KernelCall, *args: Any) -> None:
    counter = np.zeros(1, dtype=np.int64)
    workspaces = [make_workspace(call) for _ in range(num_workers(call.tasks))]
    run_on_workers(kernel, workspaces, counter, *args)


def _arrays(tensors: list[Tensor]) -> list[np.ndarray]:
    return [as_array(x) for x in tensors]
