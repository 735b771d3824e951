"""Sixteen float32 numbers as one value inside Numba code, so that a row of a chunk is one instruction.

Numba leaves the vectorising of loops to LLVM, which spends more on checks than on the 16 numbers of a row.
This type says what is meant: `write(out, i, j, read(x, i, j) * factors)`. LLVM lowers it for any processor:
one register with AVX-512, two with AVX2, four with NEON.

Every operation rounds as written. None leaves the order of a sum, or whether a product is rounded before it
is added, to LLVM: it would decide anew for each place it inlines a function at, and a process that compiles
the kernels would not get the bits of one that loads them. `multiply_add` says where to round once.

Matrices are two-dimensional arrays, contiguous along the last axis where a vector is read or written: of
float32, or of int16 that holds bfloat16, the upper half of a float32. Such numbers are widened when they are
read and rounded to the nearest, ties to even, when they are written; what happens between is float32.
"""

import operator
from typing import Any

import llvmlite.binding as llvm
from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import models, overload, register_model

from lifecode.ops.cpu.compiled import code_generator

WIDTH = 16
FLOAT = ir.FloatType()
VECTOR = ir.VectorType(FLOAT, WIDTH)
_HALF, _WORD = ir.IntType(16), ir.IntType(32)
_HALVES, _WORDS = ir.VectorType(_HALF, WIDTH), ir.VectorType(_WORD, WIDTH)

# Without the instruction (x86 before 2013) LLVM would call the C library for each number.
_FUSES = llvm.get_host_cpu_features().get("fma", True)


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
        pointer = self.builder.bitcast(self.address(row, column), kind.as_pointer())
        return self.builder.load(pointer, align=2 if kind in (_HALF, _HALVES) else 4)

    def store(self, value: Any, row: Any, column: Any) -> None:
        """Write a number or a vector."""
        pointer = self.builder.bitcast(self.address(row, column), value.type.as_pointer())
        self.builder.store(value, pointer, align=2 if value.type in (_HALF, _HALVES) else 4)


def emit_spread(builder: Any, scalar: Any, lanes: int = WIDTH) -> Any:
    """Emit a vector that holds one number in all lanes."""
    vector = builder.insert_element(ir.Constant(ir.VectorType(FLOAT, lanes), ir.Undefined), scalar, _index(0))
    return builder.shuffle_vector(
        vector, vector, ir.Constant(ir.VectorType(ir.IntType(32), lanes), [0] * lanes)
    )


def emit_multiply_add(builder: Any, x: Any, y: Any, addend: Any) -> Any:
    """Emit x * y + addend, rounded once where the processor can."""
    if not _FUSES:
        return builder.fadd(builder.fmul(x, y), addend)
    kind = ir.FunctionType(x.type, [x.type] * 3)
    name = f"llvm.fma.v{x.type.count}f32"
    return builder.call(cgutils.get_or_insert_function(builder.module, kind, name), [x, y, addend])


def _index(number: int) -> Any:
    return ir.IntType(32)(number)


def _emit_widened(builder: Any, halves: Any, floats: Any, words: Any) -> Any:
    """Emit the float32 numbers whose upper halves these are."""
    return builder.bitcast(builder.shl(builder.zext(halves, words), words(_repeated(16, words))), floats)


def _emit_rounded(builder: Any, floats: Any, halves: Any, words: Any) -> Any:
    """Emit the upper halves of float32 numbers rounded to bfloat16; NaN stays NaN."""
    bits = builder.bitcast(floats, words)
    upper = builder.lshr(bits, words(_repeated(16, words)))
    half = builder.add(builder.and_(upper, words(_repeated(1, words))), words(_repeated(0x7FFF, words)))
    upper = builder.lshr(builder.add(bits, half), words(_repeated(16, words)))
    is_nan = builder.fcmp_unordered("uno", floats, floats)
    return builder.trunc(builder.select(is_nan, words(_repeated(0x7FC0, words)), upper), halves)


def _repeated(number: int, kind: Any) -> Any:
    return [number] * kind.count if isinstance(kind, ir.VectorType) else number


def _emit_read(context: Any, builder: Any, x: Any, args: Any, floats: Any, halves: Any, words: Any) -> Any:
    source = Matrix(context, builder, x, *args)
    if x.dtype != types.int16:
        return source.load(0, 0, floats)
    return _emit_widened(builder, source.load(0, 0, halves), floats, words)


def _emit_write(context: Any, builder: Any, x: Any, args: Any, halves: Any, words: Any) -> Any:
    value = args[3] if x.dtype != types.int16 else _emit_rounded(builder, args[3], halves, words)
    Matrix(context, builder, x, *args[:3]).store(value, 0, 0)
    return context.get_dummy_value()


@code_generator
def read(typingctx: Any, x: Any, row: Any, column: Any) -> Any:
    """`read(x, row, column)`: the 16 numbers of a row that begin at a column."""

    def emit(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        return _emit_read(context, builder, x, args, VECTOR, _HALVES, _WORDS)

    return vector16(x, types.int64, types.int64), emit


@code_generator
def write(typingctx: Any, x: Any, row: Any, column: Any, vector: Any) -> Any:
    """`write(x, row, column, vector)`: replace the 16 numbers of a row that begin at a column."""

    def emit(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        return _emit_write(context, builder, x, args, _HALVES, _WORDS)

    return types.void(x, types.int64, types.int64, vector16), emit


@code_generator
def read_one(typingctx: Any, x: Any, row: Any, column: Any) -> Any:
    """`read_one(x, row, column)`: one number."""

    def emit(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        return _emit_read(context, builder, x, args, FLOAT, _HALF, _WORD)

    return types.float32(x, types.int64, types.int64), emit


@code_generator
def write_one(typingctx: Any, x: Any, row: Any, column: Any, number: Any) -> Any:
    """`write_one(x, row, column, number)`: replace one number."""

    def emit(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        return _emit_write(context, builder, x, args, _HALF, _WORD)

    return types.void(x, types.int64, types.int64, types.float32), emit


@code_generator
def prefetch(typingctx: Any, x: Any, row: Any, column: Any) -> Any:
    """Ask for the cache line of an element ahead of its use; an address outside the array does no harm."""

    def emit(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        pointer, number = ir.IntType(8).as_pointer(), ir.IntType(32)
        kind = ir.FunctionType(ir.VoidType(), [pointer, number, number, number])
        call = cgutils.get_or_insert_function(builder.module, kind, "llvm.prefetch.p0")
        builder.call(call, [Matrix(context, builder, x, *args).start, _index(0), _index(3), _index(1)])
        return context.get_dummy_value()

    return types.void(x, types.int64, types.int64), emit


@code_generator
def spread(typingctx: Any, number: Any) -> Any:
    """A vector that holds one number in all lanes."""

    def emit(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        return emit_spread(builder, args[0])

    return vector16(types.float32), emit


@code_generator
def sigmoid(typingctx: Any, vector: Any) -> Any:
    """1 / (1 + exp(-x)) of each number, to about 1e-7.

    exp(x) = 2^n exp(r) with |r| <= ln(2) / 2, and exp(r) by its series: LLVM alone would call the C library
    16 times.
    """

    def emit(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        x = builder.fneg(args[0])
        for comparison, bound in ((">", 87.0), ("<", -87.0)):
            # A comparison with NaN is false, so NaN passes through.
            x = builder.select(builder.fcmp_ordered(comparison, x, _constant(bound)), _constant(bound), x)
        kind = ir.FunctionType(VECTOR, [VECTOR])
        floor = cgutils.get_or_insert_function(builder.module, kind, f"llvm.floor.v{WIDTH}f32")
        scaled = builder.fadd(builder.fmul(x, _constant(1.44269504)), _constant(0.5))
        power = builder.call(floor, [scaled])
        # ln(2) in two parts: the first has few digits, so its product with the power is exact.
        rest = builder.fsub(x, builder.fmul(power, _constant(0.693359375)))
        rest = builder.fadd(rest, builder.fmul(power, _constant(2.12194440e-4)))
        series = _constant(1 / 5040)
        for factorial in (720, 120, 24, 6, 2, 1, 1):
            series = builder.fadd(builder.fmul(series, rest), _constant(1 / factorial))
        integers = ir.VectorType(ir.IntType(32), WIDTH)
        exponent = builder.add(builder.fptosi(power, integers), ir.Constant(integers, [127] * WIDTH))
        scale = builder.bitcast(builder.shl(exponent, ir.Constant(integers, [23] * WIDTH)), VECTOR)
        one = _constant(1.0)
        return builder.fdiv(one, builder.fadd(one, builder.fmul(series, scale)))

    return vector16(vector16), emit


def _constant(number: float) -> Any:
    return ir.Constant(VECTOR, [number] * WIDTH)


@code_generator
def inverse_root(typingctx: Any, vector: Any) -> Any:
    """1 / sqrt(x) of each number."""

    def emit(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        kind = ir.FunctionType(VECTOR, [VECTOR])
        root = cgutils.get_or_insert_function(builder.module, kind, f"llvm.sqrt.v{WIDTH}f32")
        return builder.fdiv(_constant(1.0), builder.call(root, args))

    return vector16(vector16), emit


@code_generator
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


@code_generator
def multiply_add(typingctx: Any, x: Any, y: Any, addend: Any) -> Any:
    """x * y + addend of each number, rounded once where the processor can."""

    def emit(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        return emit_multiply_add(builder, *args)

    return vector16(vector16, vector16, vector16), emit


def _arithmetic(operation: Any, emit_operation: str) -> None:
    @code_generator
    def combine(typingctx: Any, x: Any, y: Any) -> Any:
        def emit(context: Any, builder: Any, signature: Any, args: Any) -> Any:
            return getattr(builder, emit_operation)(*args)

        return vector16(vector16, vector16), emit

    @overload(operation)
    def overloaded(x: Any, y: Any) -> Any:
        def implementation(x: Any, y: Any) -> Any:
            return combine(x, y)

        return implementation if x is vector16 and y is vector16 else None


_arithmetic(operator.mul, "fmul")
_arithmetic(operator.add, "fadd")
_arithmetic(operator.sub, "fsub")
