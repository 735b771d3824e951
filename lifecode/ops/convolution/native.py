"""The compiled short convolution as a differentiable torch function, arithmetic in float32 on the CPU."""

from collections.abc import Sequence
from itertools import accumulate
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor

from lifecode.ops.convolution.cpu_kernels import ROWS, STEPS_PER_TASK, convolve_backward, convolve_forward
from lifecode.ops.cpu.array_view import as_array
from lifecode.ops.cpu.workers import num_workers, run_on_workers
from lifecode.ops.transforms import first_gradients


class ConvolutionCall(NamedTuple):
    """Tasks of one call: first position, number of positions, and the segment's extent on either side."""

    first: np.ndarray
    steps: np.ndarray
    before: np.ndarray
    after: np.ndarray
    step: int
    silu: bool


def native_convolutions(
    x: Tensor, weights: Sequence[Tensor], borders: tuple[int, ...] | None, reverse: bool, silu: bool
) -> list[Tensor]:
    """Compute what `short_convolutions` computes, for multiples of 16 channels, with arithmetic in float32.

    Args:
        x: [B, T, C1 + C2 + ...] in float32 or bfloat16.
        weights: [C1, W], [C2, W], ... in float32.
        borders: segment borders of the packed row (then B is 1), or None.
        reverse: look at the following positions.
        silu: apply SiLU to the result.

    Returns:
        [B, T, C1], [B, T, C2], ... in the dtype of `x`.
    """
    batch, length, channels = x.shape
    if borders is None:
        borders = tuple(length * row for row in range(batch + 1))
    call = _call_of(borders, reverse, silu)
    taps = (weight.t() for weight in weights)
    parts = _Convolutions.apply(x.reshape(batch * length, channels), call, *taps)
    return [part.view(batch, length, part.shape[1]) for part in parts]


def _call_of(borders: tuple[int, ...], reverse: bool, silu: bool) -> ConvolutionCall:
    """Its tasks, runs of at most `STEPS_PER_TASK` positions of the segments between these borders."""
    edges = np.asarray(borders, dtype=np.int64)
    lengths = np.diff(edges)
    runs = -(-lengths // STEPS_PER_TASK)
    segment = np.repeat(np.arange(len(lengths)), runs)
    before = (np.arange(len(segment)) - np.repeat(np.cumsum(runs) - runs, runs)) * STEPS_PER_TASK
    steps = np.minimum(STEPS_PER_TASK, lengths[segment] - before)
    first = edges[1:][segment] - 1 - before if reverse else edges[:-1][segment] + before
    after = lengths[segment] - before - steps
    return ConvolutionCall(first, steps, before, after, -1 if reverse else 1, silu)


class _Convolutions(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, *args: Any) -> tuple[Tensor, ...]:
        x, call, weights = args[0].contiguous(), args[1], [weight.contiguous() for weight in args[2:]]
        outputs = [x.new_empty(len(x), weight.shape[1]) for weight in weights]
        for offset, weight, output in zip(_offsets(weights), weights, outputs, strict=True):
            _run(convolve_forward, call, x, offset, weight, output)
        ctx.save_for_backward(x, *weights)
        ctx.call = call
        return tuple(outputs)

    @staticmethod
    @first_gradients
    def backward(  # pyright: ignore[reportIncompatibleMethodOverride]
        ctx: Any, *grads: Any
    ) -> tuple[Tensor | None, ...]:
        x, *weights = ctx.saved_tensors
        d_x, d_weights = torch.empty_like(x), []
        for offset, weight, d_y in zip(_offsets(weights), weights, grads, strict=True):
            parts = weight.new_empty(len(ctx.call.first) * len(weight), weight.shape[1])
            _run(convolve_backward, ctx.call, x, offset, weight, d_y.contiguous(), d_x, parts)
            d_weights.append(parts.unflatten(0, (-1, len(weight))).sum(0))
        return d_x, None, *d_weights


def _offsets(weights: Sequence[Tensor]) -> list[int]:
    """First of the columns that belong to each."""
    return [0, *accumulate(weight.shape[1] for weight in weights[:-1])]


def _run(kernel: Any, call: ConvolutionCall, x: Tensor, offset: int, weight: Tensor, *others: Tensor) -> None:
    width, channels = weight.shape
    workers = range(num_workers(len(call.first)))
    workspaces = [
        torch.empty(ROWS + width - 1, channels, dtype=torch.float32, device="cpu").numpy() for _ in workers
    ]
    counter = np.zeros(1, dtype=np.int64)
    arrays = map(as_array, (weight, *others))
    run_on_workers(kernel, workspaces, counter, as_array(x), offset, *arrays, call)
