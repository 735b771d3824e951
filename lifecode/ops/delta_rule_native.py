"""The compiled gated delta rule as one differentiable torch function: buffers, tasks and threads.

A task is one head of one segment; where these are too few to keep all threads busy, the value columns are
split into groups, whose states do not depend on one another. Beyond its outputs a call keeps what the adjoint
needs: r (as large as v) and one state every 64 steps.
"""

from typing import Any

import numpy as np
import torch
from numba import njit
from torch import Tensor
from torch.autograd.function import once_differentiable

from lifecode.ops import delta_rule_kernels, register_tiles
from lifecode.ops.delta_rule_kernels import BLOCK, run_backward, run_forward
from lifecode.ops.register_tiles import CHUNK
from lifecode.ops.workers import next_task, num_workers, run_on_workers


def native_gated_delta_rule(
    q: Tensor,
    k: Tensor,
    v: Tensor,
    g: Tensor,
    beta: Tensor,
    *,
    scale: float,
    borders: tuple[int, ...] | None,
    reverse: bool,
    initial_state: Tensor,
) -> tuple[Tensor, Tensor]:
    """Compute what `recurrent_gated_delta_rule` computes, with the same arguments, in float32 on the CPU.

    Returns:
        Outputs [B, T, H, V] and the final states, shaped as `initial_state`.
    """
    batch, length = q.shape[:2]
    if borders is None:
        borders = tuple(length * row for row in range(batch + 1))
    rows = [x.flatten(0, 1) for x in (q, k, v, g, beta)]
    plan = _Plan(borders, q.shape[2], k.shape[3], v.shape[3], scale, reverse)
    output, final = _GatedDeltaRule.apply(*rows, initial_state, plan)
    return output.unflatten(0, (batch, length)), final


class _Plan:
    """Sizes and tasks of one call."""

    def __init__(
        self, borders: tuple[int, ...], heads: int, key_size: int, value_size: int, scale: float, reverse: bool
    ) -> None:
        edges = np.asarray(borders, dtype=np.int64)
        lengths = np.diff(edges)
        self.heads, self.key_size, self.value_size = heads, key_size, value_size
        self.groups = _column_groups(lengths, heads, value_size)
        self.columns = -(-value_size // (16 * self.groups)) * 16
        self.groups = -(-value_size // self.columns)
        self.tasks = len(lengths) * heads * self.groups
        blocks = np.concatenate([[0], np.cumsum(-(-lengths // BLOCK))])
        self.num_blocks = int(blocks[-1])
        self.order = np.argsort(-lengths, kind="stable")
        starts, ends = edges[:-1].copy(), edges[1:].copy()
        self.options = (starts, ends, blocks[:-1].copy(), self.columns, np.float32(scale), reverse)

    @property
    def padded_keys(self) -> int:
        return -(-self.key_size // 8) * 8

    def work(self, backward: bool) -> np.ndarray:
        """Workspace of all threads, one row each."""
        keys, columns = self.padded_keys, self.columns
        size = 7 * CHUNK * keys + 5 * CHUNK * columns + 5 * CHUNK * CHUNK + 4 * CHUNK
        size += keys * columns * (6 if backward else 1)
        return torch.empty(num_workers(self.tasks), -(-size // 16) * 16).numpy()


def _column_groups(lengths: np.ndarray, heads: int, value_size: int) -> int:
    """Number of groups of columns that finishes first; every group repeats the work that has no columns."""
    threads, best = torch.get_num_threads(), (float("inf"), 1)
    for groups in (1, 2, 4, 8):
        if groups > 1 and value_size < 16 * groups:
            break
        tasks = int((lengths > 0).sum()) * heads * groups
        mean = lengths.sum() * heads / max(tasks, 1)
        time = max(lengths.max() / groups, mean * -(-tasks // threads)) * (1 + 0.2 * (groups - 1))
        best = min(best, (float(time), groups))
    return best[1]


class _GatedDeltaRule(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, *args: Any) -> tuple[Tensor, Tensor]:
        q, k, v, g, beta, initial_state, plan = args
        keep = any(ctx.needs_input_grad)
        inputs = [x.detach().contiguous() for x in (q, k, v, g.exp(), beta, initial_state)]
        output, final = torch.empty_like(inputs[2]), torch.empty_like(inputs[5])
        r = torch.empty_like(inputs[2]) if keep else v.new_empty(0, plan.heads, plan.value_size)
        blocks = plan.num_blocks if keep else 0
        saved = v.new_empty(blocks, plan.heads, plan.groups, plan.padded_keys, plan.columns)
        arrays = tuple(x.numpy() for x in inputs)
        outputs = tuple(x.numpy() for x in (output, r, final, saved))
        counter, work = np.zeros(1, dtype=np.int64), plan.work(backward=False)
        shape = (plan.groups, plan.padded_keys, plan.columns)
        run_on_workers(
            _forward, plan.tasks, counter, plan.order, arrays, outputs, plan.options, shape, keep, work
        )
        if keep:
            ctx.save_for_backward(*inputs, r, final, saved)
            ctx.plan = plan
            ctx.set_materialize_grads(False)
        return output, final

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, *grads: Tensor | None) -> tuple[Tensor | None, ...]:
        *inputs, r, final, saved = ctx.saved_tensors
        plan, (q, k, v, decay, beta, initial_state) = ctx.plan, inputs
        d_output = torch.zeros_like(v) if grads[0] is None else grads[0].contiguous()
        d_final = torch.zeros_like(final) if grads[1] is None else grads[1].contiguous()
        d_q, d_k, d_g, d_beta = (x.new_empty(plan.groups, *x.shape) for x in (q, k, decay, beta))
        d_v, d_initial = torch.empty_like(v), torch.empty_like(initial_state)
        arrays = tuple(x.numpy() for x in inputs)
        gradients = (d_output, d_final, d_q, d_k, d_v, d_g, d_beta, d_initial)
        counter, work = np.zeros(1, dtype=np.int64), plan.work(backward=True)
        run_on_workers(
            _backward,
            plan.tasks,
            counter,
            plan.order,
            arrays,
            tuple(x.numpy() for x in gradients),
            tuple(x.numpy() for x in (r, final, saved)),
            plan.options,
            (plan.groups, plan.padded_keys, plan.columns),
            work,
        )
        summed = [x[0] if plan.groups == 1 else x.sum(0) for x in (d_q, d_k, d_g, d_beta)]
        return summed[0], summed[1], d_v, summed[2], summed[3], d_initial, None


@njit(nogil=True)
def _matrix(work: Any, offset: int, rows: int, columns: int) -> Any:
    return work[offset : offset + rows * columns].reshape(rows, columns)


@njit(nogil=True)
def _split_forward(work: Any, keys: int, columns: int) -> Any:
    """Cut a thread's workspace into the matrices of `run_forward`."""
    wide, narrow, square = CHUNK * columns, CHUNK * keys, CHUNK * CHUNK
    at = 4 * narrow
    tail = at + 3 * wide
    return (
        _matrix(work, 0, CHUNK, keys),
        _matrix(work, at, CHUNK, columns),
        _matrix(work, narrow, keys, CHUNK),
        _matrix(work, 2 * narrow, keys, CHUNK),
        _matrix(work, 3 * narrow, keys, CHUNK),
        _matrix(work, at + wide, CHUNK, columns),
        _matrix(work, at + 2 * wide, CHUNK, columns),
        _matrix(work, tail, CHUNK, CHUNK),
        _matrix(work, tail + square, CHUNK, CHUNK),
        _matrix(work, tail + 2 * square, CHUNK, CHUNK),
        _matrix(work, tail + 3 * square, 4, CHUNK),
        _matrix(work, tail + 3 * square + 4 * CHUNK, keys, columns),
    )


@njit(nogil=True)
def _split_backward(work: Any, keys: int, columns: int) -> Any:
    """The further matrices of `run_backward`."""
    wide, narrow, square = CHUNK * columns, CHUNK * keys, CHUNK * CHUNK
    at = 4 * narrow + 3 * wide + 3 * square + 4 * CHUNK + keys * columns
    tail = at + 2 * wide + 2 * narrow
    states = work[tail + 2 * square : tail + 2 * square + 4 * keys * columns]
    return (
        _matrix(work, at, CHUNK, columns),
        _matrix(work, at + wide, columns, CHUNK),
        _matrix(work, at + 2 * wide, keys, CHUNK),
        _matrix(work, at + 2 * wide + narrow, keys, CHUNK),
        _matrix(work, tail, CHUNK, CHUNK),
        _matrix(work, tail + square, CHUNK, CHUNK),
        states.reshape(4, keys, columns),
        _matrix(work, tail + 2 * square + 4 * keys * columns, keys, columns),
    )


@njit(cache=True, nogil=True)
def _forward(
    worker: int,
    counter: Any,
    order: Any,
    inputs: Any,
    outputs: Any,
    options: Any,
    shape: Any,
    keep: bool,
    workspace: Any,
) -> None:
    groups, keys, columns = shape
    work = _split_forward(workspace[worker], keys, columns)
    heads = inputs[0].shape[1]
    task = next_task(counter)
    while task < order.shape[0] * heads * groups:
        segment, head = order[task // (heads * groups)], task // groups % heads
        run_forward(inputs, outputs, options, segment, head, task % groups, keep, work)
        task = next_task(counter)


@njit(cache=True, nogil=True)
def _backward(
    worker: int,
    counter: Any,
    order: Any,
    inputs: Any,
    gradients: Any,
    saves: Any,
    options: Any,
    shape: Any,
    workspace: Any,
) -> None:
    groups, keys, columns = shape
    work = _split_forward(workspace[worker], keys, columns) + _split_backward(workspace[worker], keys, columns)
    heads = inputs[0].shape[1]
    task = next_task(counter)
    while task < order.shape[0] * heads * groups:
        segment, head = order[task // (heads * groups)], task // groups % heads
        run_backward(inputs, gradients, saves, options, segment, head, task % groups, work)
        task = next_task(counter)
