"""Sixteen float32 numbers as one value inside Numba code, so that a row of a chunk is one instruction.

Numba leaves the vectorising of loops to LLVM, which spends more on checks than on the 16 numbers of a row.
This type says what is meant: `write(out, i, j, read(x, i, j) * factors)`. LLVM lowers it for any processor:
one register with AVX-512, two with AVX2, four with NEON.

Matrices are two-dimensional float32 arrays, contiguous along the last axis where a vector is read or written.
"""

import operator
from typing import Any

from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic, models, overload, register_model

WIDTH = 16
FLOAT = ir.FloatType()
VECTOR = ir.VectorType(FLOAT, WIDTH)

# Fused multiply-adds and sums in any order. No `nnan`, no `ninf`: a NaN in the input must come out as one.
FAST = ("contract", "reassoc", "nsz")


class _VectorType(types.Type):
    def __init__(self) -> None:
        super().__init__(name="Float32x16")


vector16 = _VectorType()


@register_model(_VectorType)
class _VectorModel(models.PrimitiveModel):
    def __init__(self, manager: Any, kind: Any) -> None:
        super().__init__(manager, kind, VECTOR)


class Matrix:
    """While code is being emitted: the addresses of an array's elements, from a given row and column on."""

    def __init__(self, context: Any, builder: Any, kind: Any, value: Any, row: Any, column: Any) -> None:
        array = context.make_array(kind)(context, builder, value)
        self.builder, self.strides = builder, cgutils.unpack_tuple(builder, array.strides, 2)
        self.start = builder.bitcast(array.data, ir.IntType(8).as_pointer())
        self.start = self.address(row, column)

    def address(self, row: Any, column: Any) -> Any:
        """Byte address of an element, counted from the given row and column."""
        row, column = (ir.IntType(64)(x) if isinstance(x, int) else x for x in (row, column))
        rows, columns = self.builder.mul(row, self.strides[0]), self.builder.mul(column, self.strides[1])
        return self.builder.gep(self.start, [self.builder.add(rows, columns)])

    def load(self, row: Any, column: Any, kind: Any = FLOAT) -> Any:
        """A number or a vector, as `kind` says."""
        return self.builder.load(self.builder.bitcast(self.address(row, column), kind.as_pointer()), align=4)

    def store(self, value: Any, row: Any, column: Any) -> None:
        """Write a number or a vector."""
        pointer = self.builder.bitcast(self.address(row, column), value.type.as_pointer())
        self.builder.store(value, pointer, align=4)


def emit_spread(builder: Any, scalar: Any, lanes: int = WIDTH) -> Any:
    """Emit a vector that holds one number in all lanes."""
    vector = builder.insert_element(ir.Constant(ir.VectorType(FLOAT, lanes), ir.Undefined), scalar, _index(0))
    return builder.shuffle_vector(
        vector, vector, ir.Constant(ir.VectorType(ir.IntType(32), lanes), [0] * lanes)
    )


def _index(number: int) -> Any:
    return ir.IntType(32)(number)


@intrinsic
def read(typingctx: Any, x: Any, row: Any, column: Any) -> Any:
    """`read(x, row, column)`: the 16 numbers of a row that begin at a column."""

    def emit(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        return Matrix(context, builder, x, *args).load(0, 0, VECTOR)

    return vector16(x, types.int64, types.int64), emit


@intrinsic
def write(typingctx: Any, x: Any, row: Any, column: Any, vector: Any) -> Any:
    """`write(x, row, column, vector)`: replace the 16 numbers of a row that begin at a column."""

    def emit(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        Matrix(context, builder, x, *args[:3]).store(args[3], 0, 0)
        return context.get_dummy_value()

    return types.void(x, types.int64, types.int64, vector16), emit


@intrinsic
def prefetch(typingctx: Any, x: Any, row: Any, column: Any) -> Any:
    """Ask for the cache line of an element ahead of its use; an address outside the array does no harm."""

    def emit(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        pointer, number = ir.IntType(8).as_pointer(), ir.IntType(32)
        kind = ir.FunctionType(ir.VoidType(), [pointer, number, number, number])
        call = cgutils.get_or_insert_function(builder.module, kind, "llvm.prefetch.p0")
        builder.call(call, [Matrix(context, builder, x, *args).start, _index(0), _index(3), _index(1)])
        return context.get_dummy_value()

    return types.void(x, types.int64, types.int64), emit


@intrinsic
def spread(typingctx: Any, number: Any) -> Any:
    """A vector that holds one number in all lanes."""

    def emit(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        return emit_spread(builder, args[0])

    return vector16(types.float32), emit


@intrinsic
def total(typingctx: Any, vector: Any) -> Any:
    """Sum of the 16 numbers."""

    def emit(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        vector = args[0]
        for half in (8, 4, 2, 1):
            low, high = list(range(half)), list(range(half, 2 * half))
            parts = [
                builder.shuffle_vector(
                    vector, vector, ir.Constant(ir.VectorType(ir.IntType(32), half), lanes)
                )
                for lanes in (low, high)
            ]
            vector = builder.fadd(*parts)
        return builder.extract_element(vector, _index(0))

    return types.float32(vector16), emit


def _arithmetic(operation: Any, emit_operation: str) -> None:
    @intrinsic
    def combine(typingctx: Any, x: Any, y: Any) -> Any:
        def emit(context: Any, builder: Any, signature: Any, args: Any) -> Any:
            return getattr(builder, emit_operation)(*args, flags=FAST)

        return vector16(vector16, vector16), emit

    @overload(operation)
    def overloaded(x: Any, y: Any) -> Any:
        def implementation(x: Any, y: Any) -> Any:
            return combine(x, y)

        return implementation if x is vector16 and y is vector16 else None


_arithmetic(operator.mul, "fmul")
_arithmetic(operator.add, "fadd")
_arithmetic(operator.sub, "fsub")
