"""The compiled short convolution as a differentiable torch function, float32 on the CPU."""

from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

from lifecode.ops.convolution.cpu_kernels import ROWS, STEPS_A_TASK, convolve_backward, convolve_forward
from lifecode.ops.cpu.array_view import as_array
from lifecode.ops.cpu.workers import num_workers, run_on_workers


class ConvolutionPlan(NamedTuple):
    """Tasks of one call: first position, number of positions, and the segment's extent on either side."""

    first: np.ndarray
    steps: np.ndarray
    before: np.ndarray
    after: np.ndarray
    step: int
    silu: bool


def native_convolution(
    x: Tensor, weight: Tensor, borders: tuple[int, ...] | None, reverse: bool, silu: bool
) -> Tensor:
    """Compute what `short_convolution` computes, for float32 and a multiple of 16 channels.

    Args:
        x: [B, T, C].
        weight: [C, W].
        borders: segment borders of the packed row (then B is 1), or None.
        reverse: look at the following positions.
        silu: apply SiLU to the result.

    Returns:
        [B, T, C].
    """
    batch, length, channels = x.shape
    if borders is None:
        borders = tuple(length * row for row in range(batch + 1))
    plan = _make_plan(borders, reverse, silu)
    return _Convolution.apply(x.reshape(batch * length, channels), weight.t(), plan).view(x.shape)


def _make_plan(borders: tuple[int, ...], reverse: bool, silu: bool) -> ConvolutionPlan:
    edges = np.asarray(borders, dtype=np.int64)
    lengths = np.diff(edges)
    runs = -(-lengths // STEPS_A_TASK)
    segment = np.repeat(np.arange(len(lengths)), runs)
    before = (np.arange(len(segment)) - np.repeat(np.cumsum(runs) - runs, runs)) * STEPS_A_TASK
    steps = np.minimum(STEPS_A_TASK, lengths[segment] - before)
    first = edges[1:][segment] - 1 - before if reverse else edges[:-1][segment] + before
    after = lengths[segment] - before - steps
    return ConvolutionPlan(first, steps, before, after, -1 if reverse else 1, silu)


class _Convolution(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, *args: Any) -> Tensor:
        x, weight, plan = args[0].contiguous(), args[1].contiguous(), args[2]
        output = torch.empty_like(x)
        _run(convolve_forward, plan, x, weight, output)
        ctx.save_for_backward(x, weight)
        ctx.plan = plan
        return output

    @staticmethod
    @once_differentiable
    def backward(  # pyright: ignore[reportIncompatibleMethodOverride]
        ctx: Any, *grads: Any
    ) -> tuple[Tensor | None, ...]:
        x, weight = ctx.saved_tensors
        d_x = torch.empty_like(x)
        parts = x.new_empty(len(ctx.plan.first) * len(weight), x.shape[1])
        _run(convolve_backward, ctx.plan, x, weight, grads[0].contiguous(), d_x, parts)
        return d_x, parts.unflatten(0, (-1, len(weight))).sum(0), None


def _run(kernel: Any, plan: ConvolutionPlan, *tensors: Tensor) -> None:
    width, channels = tensors[1].shape
    workers = range(num_workers(len(plan.first)))
    workspaces = [
        torch.empty(ROWS + width - 1, channels, dtype=torch.float32, device="cpu").numpy() for _ in workers
    ]
    counter = np.zeros(1, dtype=np.int64)
    run_on_workers(kernel, workspaces, counter, *map(as_array, tensors), plan)
