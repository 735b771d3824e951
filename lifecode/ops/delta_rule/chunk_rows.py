"""Moving the rows of one chunk of 16 steps, and states, between the tensors and a thread's workspace.

Tensors are seen as matrices: one row a position, the heads side by side. A chunk begins at position `first`
and goes on by `step`, which is -1 where segments run in reverse; only `count` of its steps exist.
"""

from typing import Any

import numpy as np

from lifecode.ops.cpu.compiled import compiled
from lifecode.ops.cpu.register_tiles import CHUNK
from lifecode.ops.cpu.vectors import (
    WIDTH,
    inverse_root,
    multiply_add,
    prefetch,
    read,
    read_one,
    spread,
    total,
    write,
    write_one,
)


@compiled
def load_rows(out: Any, x: Any, first: int, step: int, count: int, column: int, width: int) -> None:
    """Copy a chunk's rows; steps and columns that do not exist become zeros."""
    whole = width - width % WIDTH
    for i in range(count):
        row = first + i * step
        for j in range(0, whole, WIDTH):
            write(out, i, j, read(x, row, column + j))
            # The next chunk's rows lie too far apart for the processor to guess.
            prefetch(x, row + CHUNK * step, column + j)
        if whole < width:
            prefetch(x, row + CHUNK * step, column + width - 1)
            if whole > 0:
                write(out, i, width - WIDTH, read(x, row, column + width - WIDTH))
            else:
                for j in range(width):
                    out[i, j] = read_one(x, row, column + j)
        for j in range(width, out.shape[1]):
            out[i, j] = 0.0
    for i in range(count, CHUNK):
        for j in range(out.shape[1]):
            out[i, j] = 0.0


@compiled
def store_rows(x: Any, rows: Any, first: int, step: int, count: int, column: int, width: int) -> None:
    """Write the rows of a chunk that exist."""
    whole = width - width % WIDTH
    for i in range(count):
        row = first + i * step
        for j in range(0, whole, WIDTH):
            write(x, row, column + j, read(rows, i, j))
        if whole > 0 and whole < width:
            write(x, row, column + width - WIDTH, read(rows, i, width - WIDTH))
        elif whole == 0:
            for j in range(width):
                write_one(x, row, column + j, rows[i, j])


@compiled
def load_decays(
    between: Any,
    vectors: Any,
    identity: Any,
    decay: Any,
    beta: Any,
    first: int,
    step: int,
    count: int,
    head: int,
) -> None:
    """D into `between`, b and beta into the first two rows of `vectors`.

    Steps that do not exist keep the state and write nothing: decay 1, beta 0.
    """
    since_start, row = np.float32(1.0), spread(np.float32(0.0))
    for i in range(CHUNK):
        factor, strength = np.float32(1.0), np.float32(0.0)
        if i < count:
            factor, strength = decay[first + i * step, head], beta[first + i * step, head]
        since_start *= factor
        vectors[0, i], vectors[1, i] = since_start, strength
        row = multiply_add(row, spread(factor), read(identity, i, 0))
        write(between, i, 0, row)


@compiled
def load_state(out: Any, states: Any, row: int, rows: int, column: int, width: int) -> None:
    """A state into the workspace, padded with zeros."""
    for i in range(out.shape[0]):
        for j in range(out.shape[1]):
            out[i, j] = states[row + i, column + j] if i < rows and j < width else np.float32(0.0)


@compiled
def store_state(states: Any, x: Any, row: int, rows: int, column: int, width: int) -> None:
    """The part of a state that is not padding."""
    for i in range(rows):
        for j in range(width):
            states[row + i, column + j] = x[i, j]


@compiled
def copy(out: Any, x: Any) -> None:
    """out = x."""
    for i in range(x.shape[0]):
        for j in range(0, x.shape[1], WIDTH):
            write(out, i, j, read(x, i, j))


@compiled
def scale_columns(out: Any, x: Any, factors: Any) -> None:
    """out[i, j] = x[i, j] * factors_j for 16 columns."""
    for i in range(x.shape[0]):
        write(out, i, 0, read(x, i, 0) * factors)


@compiled
def dot_columns(x: Any, y: Any, start: Any) -> Any:
    """Start plus the sum over i of x[i, j] * y[i, j] for 16 columns j."""
    for i in range(x.shape[0]):
        start = multiply_add(read(x, i, 0), read(y, i, 0), start)
    return start


@compiled
def normalise_columns(x: Any, vectors: Any, row: int, norm_eps: Any, factors: Any) -> None:
    """x[i, j] *= factors_j / |x_j|, |x_j|^2 = sum_i x[i, j]^2 + eps; 1 / |x_j| into a row of `vectors`.

    An eps of 0 stands for vectors that are not normalised: 1 for 1 / |x_j|.
    """
    if norm_eps > 0:
        inverse = inverse_root(dot_columns(x, x, spread(norm_eps)))
        write(vectors, row, 0, inverse)
        factors = factors * inverse
    scale_columns(x, x, factors)


@compiled
def normalised_gradient(d_x: Any, x: Any, vectors: Any, row: int, call: Any, factor: Any, share: Any) -> None:
    """The gradient of factor * n becomes that of x, n = x / |x| by columns; `x` holds factor * n.

    dx = (dn - n (n . dn)) / |x|, `share` is 1 / factor. Without normalisation dx = factor * d(factor x).
    """
    if call.norm_eps > 0:
        inverse = read(vectors, row, 0)
        along = dot_columns(x, d_x, spread(np.float32(0.0))) * inverse * share
        factor = factor * inverse
        for i in range(x.shape[0]):
            write(d_x, i, 0, read(d_x, i, 0) * factor - read(x, i, 0) * along)
    else:
        scale_columns(d_x, d_x, factor)


@compiled
def dot(x: Any, y: Any) -> float:
    """Sum of x * y over all elements; the number of rows is even."""
    even, odd = spread(np.float32(0.0)), spread(np.float32(0.0))
    for i in range(0, x.shape[0], 2):
        for j in range(0, x.shape[1], WIDTH):
            even = multiply_add(read(x, i, j), read(y, i, j), even)
            odd = multiply_add(read(x, i + 1, j), read(y, i + 1, j), odd)
    return total(even + odd)
