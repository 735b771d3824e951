"""Compiled row by row arithmetic around the large products: norms, gates, residual sums.

torch makes several passes through memory for each of these, most of all in its backward pass: in a narrow
model half the time of the matrix products. Here a row is read once and stays in the first-level cache.

Arrays are [N, C], contiguous, C a multiple of 16: rows in float32 or bfloat16, weights in float32, as is the
arithmetic. A task is a run of rows. A gradient that is a sum over rows is written in parts, one a task, so
that it does not depend on which thread ran what.
"""

from math import sqrt
from typing import Any

import numpy as np

from lifecode.ops.cpu.compiled import compiled, compiled_entry
from lifecode.ops.cpu.vectors import WIDTH, multiply_add, read, sigmoid, spread, total, write
from lifecode.ops.cpu.workers import next_task

ROWS_PER_TASK = 256


@compiled
def _silu(x: Any) -> Any:
    return x * sigmoid(x)


@compiled
def _silu_slope(x: Any) -> Any:
    one, share = spread(np.float32(1.0)), sigmoid(x)
    return share * multiply_add(x, one - share, one)


@compiled
def _clear(parts: Any, row: int) -> None:
    for j in range(0, parts.shape[1], WIDTH):
        write(parts, row, j, spread(np.float32(0.0)))


@compiled_entry
def normalise_forward(
    work: Any, counter: Any, x: Any, weight: Any, gate: Any, y: Any, inverse: Any, rule: Any
) -> None:
    """y = x * inverse * weight * SiLU(gate), where inverse = 1 / sqrt(share * sum(x^2) + eps).

    Args:
        work: nothing.
        counter: int64 (1,), shared by all threads.
        x: [N, C].
        weight: [1, C].
        gate: [N, C]; read if `rule.gated`.
        y: [N, C], written.
        inverse: [1, N], float32, written.
        rule: `rows_native.Rule`.
    """
    task = next_task(counter)
    while task * ROWS_PER_TASK < x.shape[0]:
        for row in range(task * ROWS_PER_TASK, min(x.shape[0], (task + 1) * ROWS_PER_TASK)):
            squares = spread(np.float32(0.0))
            for j in range(0, x.shape[1], WIDTH):
                value = read(x, row, j)
                squares = multiply_add(value, value, squares)
            scale = np.float32(1.0) / np.float32(sqrt(rule.share * total(squares) + rule.eps))
            inverse[0, row] = scale
            for j in range(0, x.shape[1], WIDTH):
                value = read(x, row, j) * spread(scale) * read(weight, 0, j)
                if rule.gated:
                    value = value * _silu(read(gate, row, j))
                write(y, row, j, value)
        task = next_task(counter)


@compiled_entry
def normalise_backward(
    work: Any,
    counter: Any,
    x: Any,
    weight: Any,
    gate: Any,
    inverse: Any,
    d_y: Any,
    d_kept: Any,
    d_x: Any,
    d_weight: Any,
    d_gate: Any,
    rule: Any,
) -> None:
    """Gradients of `normalise_forward`: with n = x * inverse and dn = dy * weight * SiLU(gate),

    dx = inverse * (dn - n * share * sum(dn * n)) + d_kept.

    `d_weight` is [tasks, C]; `d_kept` [N, C], read if `rule.kept`, is what comes to x from elsewhere;
    `d_gate` is written if `rule.gated`. `work` is [1, C] of each thread.
    """
    task = next_task(counter)
    while task * ROWS_PER_TASK < x.shape[0]:
        _clear(d_weight, task)
        for row in range(task * ROWS_PER_TASK, min(x.shape[0], (task + 1) * ROWS_PER_TASK)):
            scale, along = spread(inverse[0, row]), spread(np.float32(0.0))
            for j in range(0, x.shape[1], WIDTH):
                normed, gain, slope = read(x, row, j) * scale, read(weight, 0, j), read(d_y, row, j)
                if rule.gated:
                    opening = read(gate, row, j)
                    write(d_gate, row, j, slope * normed * gain * _silu_slope(opening))
                    slope = slope * _silu(opening)
                write(d_weight, task, j, multiply_add(slope, normed, read(d_weight, task, j)))
                slope = slope * gain
                along = multiply_add(slope, normed, along)
                write(work, 0, j, slope)
            back = spread(rule.share * total(along))
            for j in range(0, x.shape[1], WIDTH):
                normed = read(x, row, j) * scale
                slope = scale * (read(work, 0, j) - normed * back)
                if rule.kept:
                    slope = read(d_kept, row, j) + slope
                write(d_x, row, j, slope)
        task = next_task(counter)


@compiled_entry
def gate_forward(work: Any, counter: Any, x: Any, y: Any) -> None:
    """y = SiLU(gate) * up, where x [N, 2 C] is the gate and, to its right, what it opens."""
    width, task = y.shape[1], next_task(counter)
    while task * ROWS_PER_TASK < x.shape[0]:
        for row in range(task * ROWS_PER_TASK, min(x.shape[0], (task + 1) * ROWS_PER_TASK)):
            for j in range(0, width, WIDTH):
                write(y, row, j, _silu(read(x, row, j)) * read(x, row, width + j))
        task = next_task(counter)


@compiled_entry
def gate_backward(work: Any, counter: Any, x: Any, d_y: Any, d_x: Any) -> None:
    """Gradient of `gate_forward`."""
    width, task = d_y.shape[1], next_task(counter)
    one = spread(np.float32(1.0))
    while task * ROWS_PER_TASK < x.shape[0]:
        for row in range(task * ROWS_PER_TASK, min(x.shape[0], (task + 1) * ROWS_PER_TASK)):
            for j in range(0, width, WIDTH):
                opening, slope = read(x, row, j), read(d_y, row, j)
                share = sigmoid(opening)
                steepness = share * multiply_add(opening, one - share, one)
                write(d_x, row, j, slope * read(x, row, width + j) * steepness)
                write(d_x, row, width + j, slope * (opening * share))
        task = next_task(counter)


@compiled_entry
def scaled_sum_forward(work: Any, counter: Any, x: Any, branch: Any, weight: Any, y: Any) -> None:
    """y = x + weight * branch, weight [1, C]."""
    task = next_task(counter)
    while task * ROWS_PER_TASK < x.shape[0]:
        for row in range(task * ROWS_PER_TASK, min(x.shape[0], (task + 1) * ROWS_PER_TASK)):
            for j in range(0, x.shape[1], WIDTH):
                write(y, row, j, multiply_add(read(weight, 0, j), read(branch, row, j), read(x, row, j)))
        task = next_task(counter)


@compiled_entry
def scaled_sum_backward(
    work: Any, counter: Any, branch: Any, weight: Any, d_y: Any, d_branch: Any, d_weight: Any
) -> None:
    """Gradients of `scaled_sum_forward`; `d_weight` is [tasks, C]. That of x is `d_y` itself."""
    task = next_task(counter)
    while task * ROWS_PER_TASK < branch.shape[0]:
        _clear(d_weight, task)
        for row in range(task * ROWS_PER_TASK, min(branch.shape[0], (task + 1) * ROWS_PER_TASK)):
            for j in range(0, branch.shape[1], WIDTH):
                slope = read(d_y, row, j)
                write(d_branch, row, j, slope * read(weight, 0, j))
                write(d_weight, task, j, multiply_add(slope, read(branch, row, j), read(d_weight, task, j)))
        task = next_task(counter)
