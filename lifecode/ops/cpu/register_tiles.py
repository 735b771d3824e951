"""Small matrix products, solves and transposes whose working set lives in vector registers.

Numba vectorises simple loops but cannot keep a tile of accumulators in registers, which is what decides the
speed of matrices of 16 to 128 rows. So the innermost tiles are emitted as LLVM vector instructions: one tile
of 8 rows by two vectors needs 10 loads for 16 fused multiply-adds.

Everything is float32. Rows of `out`, `x` and `b` are contiguous along their last axis; `a` and `m` may have
any strides, so transposed and reversed views cost nothing. The number of rows is a multiple of 8, the number
of columns a multiple of 16.
"""

from typing import Any

import llvmlite.binding as llvm
import numpy as np
from llvmlite import ir
from numba import types
from numba.core import cgutils

from lifecode.ops.cpu.compiled import code_generator, compiled
from lifecode.ops.cpu.vectors import FLOAT, Matrix, emit_multiply_add, emit_spread

CHUNK = 16
ONE = np.float32(1.0)
LANES = 16 if llvm.get_host_cpu_features().get("avx512f") else 8

_VECTOR, _EIGHT = ir.VectorType(FLOAT, LANES), ir.VectorType(FLOAT, 8)


def _product_tile(vectors: int, keep: bool) -> Any:
    """Build `tile(out, gain, a, b, row, column, depth)`: an 8-row tile of out = gain * out + a @ b."""

    @code_generator
    def tile(typingctx: Any, out: Any, gain: Any, a: Any, b: Any, row: Any, column: Any, depth: Any) -> Any:
        def emit(context: Any, builder: Any, signature: Any, args: Any) -> Any:
            out_v, gain_v, a_v, b_v, row_v, column_v, depth_v = args
            target = Matrix(context, builder, out, out_v, row_v, column_v)
            left = Matrix(context, builder, a, a_v, row_v, 0)
            right = Matrix(context, builder, b, b_v, 0, column_v)
            places = [(i, j) for i in range(8) for j in range(vectors)]
            sums = [cgutils.alloca_once(builder, _VECTOR) for _ in places]
            factor = emit_spread(builder, gain_v, LANES)
            for place, (i, j) in zip(sums, places, strict=True):
                old = target.load(i, j * LANES, _VECTOR) if keep else None
                builder.store(builder.fmul(factor, old) if keep else ir.Constant(_VECTOR, None), place)
            with cgutils.for_range(builder, depth_v, intp=ir.IntType(64)) as loop:
                rows = [right.load(loop.index, j * LANES, _VECTOR) for j in range(vectors)]
                scalars = [emit_spread(builder, left.load(i, loop.index), LANES) for i in range(8)]
                for place, (i, j) in zip(sums, places, strict=True):
                    so_far = builder.load(place)
                    builder.store(emit_multiply_add(builder, scalars[i], rows[j], so_far), place)
            for place, (i, j) in zip(sums, places, strict=True):
                target.store(builder.load(place), i, j * LANES)
            return context.get_dummy_value()

        return types.void(out, types.float32, a, b, types.int64, types.int64, types.int64), emit

    return tile


_set_one, _set_two = _product_tile(1, False), _product_tile(2, False)
_add_one, _add_two = _product_tile(1, True), _product_tile(2, True)


@code_generator
def _solve_columns(typingctx: Any, x: Any, m: Any, column: Any) -> Any:
    """One vector of columns of the solution of x_i <- x_i + sum_{j<i} m_ij x_j, all 16 rows in registers."""

    def emit(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        target = Matrix(context, builder, x, args[0], 0, args[2])
        system = Matrix(context, builder, m, args[1], 0, 0)
        rows = [target.load(i, 0, _VECTOR) for i in range(CHUNK)]
        for j in range(CHUNK):
            for i in range(j + 1, CHUNK):
                factor = emit_spread(builder, system.load(i, j), LANES)
                rows[i] = emit_multiply_add(builder, factor, rows[j], rows[i])
        for i, row in enumerate(rows):
            target.store(row, i, 0)
        return context.get_dummy_value()

    return types.void(x, m, types.int64), emit


@code_generator
def _transpose_tile(typingctx: Any, out: Any, x: Any, row: Any, column: Any) -> Any:
    """Turn the 8 by 8 tile of `x` at (row, column) into that of `out` at (column, row)."""

    def emit(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        source = Matrix(context, builder, x, args[1], args[2], args[3])
        target = Matrix(context, builder, out, args[0], args[3], args[2])
        rows = [source.load(i, 0, _EIGHT) for i in range(8)]
        indices = ir.VectorType(ir.IntType(32), 8)
        low = ir.Constant(indices, [0, 8, 1, 9, 2, 10, 3, 11])
        high = ir.Constant(indices, [4, 12, 5, 13, 6, 14, 7, 15])
        # Interleaving row i with row i + 4, three times over, transposes eight rows of eight.
        for _ in range(3):
            pairs = [(rows[i], rows[i + 4]) for i in range(4)]
            rows = [builder.shuffle_vector(p, q, zipped) for p, q in pairs for zipped in (low, high)]
        for i, row in enumerate(rows):
            target.store(row, i, 0)
        return context.get_dummy_value()

    return types.void(out, x, types.int64, types.int64), emit


@compiled
def set_product(out: Any, a: Any, b: Any) -> None:
    """out = a @ b."""
    rows, columns = out.shape
    for column in range(0, columns - LANES, 2 * LANES):
        for row in range(0, rows, 8):
            _set_two(out, ONE, a, b, row, column, a.shape[1])
    if columns % (2 * LANES):
        for row in range(0, rows, 8):
            _set_one(out, ONE, a, b, row, columns - LANES, a.shape[1])


@compiled
def add_product(out: Any, gain: Any, a: Any, b: Any) -> None:
    """out = gain * out + a @ b."""
    rows, columns = out.shape
    for column in range(0, columns - LANES, 2 * LANES):
        for row in range(0, rows, 8):
            _add_two(out, gain, a, b, row, column, a.shape[1])
    if columns % (2 * LANES):
        for row in range(0, rows, 8):
            _add_one(out, gain, a, b, row, columns - LANES, a.shape[1])


@compiled
def solve_lower(x: Any, m: Any) -> None:
    """Solve (I - m) y = x for a strictly lower triangular m of 16 rows; y overwrites x."""
    for column in range(0, x.shape[1], LANES):
        _solve_columns(x, m, column)


@compiled
def transpose(out: Any, x: Any) -> None:
    """out = x transposed; both sizes are multiples of 8."""
    for row in range(0, x.shape[0], 8):
        for column in range(0, x.shape[1], 8):
            _transpose_tile(out, x, row, column)
