"""Compiled short convolution with its SiLU: each row is read from memory once.

Arrays: x [N, ...], of which C columns from `offset` on are convolved, C a multiple of 16; y [N, C]; weight
[W, C], whose last row multiplies the current position. x, y and their gradients are float32 or bfloat16, all
the rest is float32. A task is a run of at most 512 positions of one segment. `before` and `after` say how far
the segment reaches beyond the run, so that the rows of another segment count as zeros.
"""

from typing import Any

import numpy as np

from lifecode.ops.cpu.compiled import compiled, compiled_entry
from lifecode.ops.cpu.vectors import WIDTH, multiply_add, read, sigmoid, spread, write
from lifecode.ops.cpu.workers import next_task

STEPS_PER_TASK = 512
ROWS = 32


@compiled
def _convolve(x: Any, offset: int, weight: Any, row: int, step: int, reach: int, column: int) -> Any:
    """Sum over the current row and at most `reach` rows behind it, for 16 channels."""
    width = weight.shape[0]
    result = read(x, row, offset + column) * read(weight, width - 1, column)
    for distance in range(1, min(width, reach + 1)):
        tap = read(weight, width - 1 - distance, column)
        result = multiply_add(read(x, row - distance * step, offset + column), tap, result)
    return result


@compiled_entry
def convolve_forward(work: Any, counter: Any, x: Any, offset: int, weight: Any, y: Any, call: Any) -> None:
    """Run tasks until the shared counter has passed the last one; y is written."""
    task = next_task(counter)
    while task < call.first.shape[0]:
        for i in range(call.steps[task]):
            row = call.first[task] + i * call.step
            for column in range(0, weight.shape[1], WIDTH):
                value = _convolve(x, offset, weight, row, call.step, call.before[task] + i, column)
                if call.silu:
                    value = value * sigmoid(value)
                write(y, row, column, value)
        task = next_task(counter)


@compiled
def _gradient_before_silu(
    work: Any, i: int, x: Any, offset: int, weight: Any, d_y: Any, row: int, reach: int, call: Any
) -> None:
    """Row i of `work`: the gradient of the plain convolution at one position."""
    one = spread(np.float32(1.0))
    for column in range(0, weight.shape[1], WIDTH):
        gradient = read(d_y, row, column)
        if call.silu:
            value = _convolve(x, offset, weight, row, call.step, reach, column)
            gate = sigmoid(value)
            gradient = gradient * gate * multiply_add(value, one - gate, one)
        write(work, i, column, gradient)


@compiled_entry
def convolve_backward(
    work: Any, counter: Any, x: Any, offset: int, weight: Any, d_y: Any, d_x: Any, d_weight: Any, call: Any
) -> None:
    """Run tasks until the shared counter has passed the last one.

    Written are `d_x` in the columns that were convolved, and row `task * W + w` of `d_weight` [tasks W, C]:
    one part a task, so that the sum does not depend on which thread ran what.
    """
    width, step = weight.shape[0], call.step
    task = next_task(counter)
    while task < call.first.shape[0]:
        for begin in range(0, call.steps[task], ROWS):
            rows = min(ROWS, call.steps[task] - begin)
            first = call.first[task] + begin * step
            reach, left = call.before[task] + begin, call.steps[task] - begin + call.after[task]
            # The rows after these read them too.
            known = min(rows + width - 1, left)
            for i in range(known):
                _gradient_before_silu(work, i, x, offset, weight, d_y, first + i * step, reach + i, call)
            for i in range(rows):
                for column in range(0, weight.shape[1], WIDTH):
                    gradient = spread(np.float32(0.0))
                    for distance in range(min(width, known - i)):
                        tap = read(weight, width - 1 - distance, column)
                        gradient = multiply_add(read(work, i + distance, column), tap, gradient)
                    write(d_x, first + i * step, offset + column, gradient)
            for distance in range(width):
                out = task * width + width - 1 - distance
                for column in range(0, weight.shape[1], WIDTH):
                    gradient = spread(np.float32(0.0)) if begin == 0 else read(d_weight, out, column)
                    for i in range(max(0, distance - reach), rows):
                        source = read(x, first + (i - distance) * step, offset + column)
                        gradient = multiply_add(read(work, i, column), source, gradient)
                    write(d_weight, out, column, gradient)
        task = next_task(counter)
