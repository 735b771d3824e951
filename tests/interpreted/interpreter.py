"""flash-linear-attention's Triton kernels on CPU tensors: what Triton's interpreter lacks to run them.

Triton's interpreter executes the Python source of a kernel with numpy. It keeps bfloat16 numbers as their 16
bits and would add and multiply these as integers; here every bfloat16 number is widened to float32 before an
operation and rounded to the nearest one after it, as a GPU does.

What a pass says: the arithmetic of the kernels and the way we call them. What it cannot say: anything about
TF32, shared memory, races between threads, the other autotuned tile sizes, or speed.
"""

import builtins
import sys
from collections.abc import Iterator
from importlib import import_module
from types import SimpleNamespace
from typing import Any

import numpy as np
import torch
import triton
import triton.language as tl
from triton.backends.compiler import GPUTarget
from triton.runtime import interpreter
from triton.runtime.autotuner import Autotuner

KERNELS = ("fla.ops.gated_delta_rule", "fla.modules.causal_conv1d", "fla.layers.gated_deltanet")


def load_kernels() -> None:
    """Import the kernels for CPU tensors; once a process, before anything else imports them."""
    assert triton.knobs.runtime.interpret, "set TRITON_INTERPRET=1 before Triton is imported"
    # The same on a machine with a GPU as on one without.
    target = GPUTarget("cpu", 0, 32)
    triton.runtime.driver.set_active(SimpleNamespace(get_current_target=lambda: target))
    _keep_one_configuration()
    _compute_bfloat16()
    for name in KERNELS:
        import_module(name)
    for name, module in list(sys.modules.items()):
        if name.startswith("fla."):
            vars(module)["range"] = _steps


def _keep_one_configuration() -> None:
    """Nothing to choose between, so nothing that asks a GPU for timings."""
    start = Autotuner.__init__

    def start_with_first(self: Any, fn: Any, arg_names: Any, configs: Any, *args: Any, **kwargs: Any) -> None:
        start(self, fn, arg_names, configs[:1], *args, **kwargs)

    Autotuner.__init__ = start_with_first


class _Step(int):
    """A loop counter that a kernel may convert to another integer type."""

    def to(self, dtype: tl.dtype) -> "_Step":
        return self


def _steps(*bounds: Any) -> Iterator[_Step]:
    return map(_Step, builtins.range(*(int(bound) for bound in bounds)))


def _compute_bfloat16() -> None:
    builder, sums = interpreter.InterpreterBuilder, interpreter.ReduceOps
    dot, binary, total, cast = builder.create_dot, builder.binary_op, sums.sum, builder.cast_impl

    def cast_impl(self: Any, x: Any, dtype: Any) -> Any:
        pair = (x.dtype.scalar, dtype.scalar)
        if pair == (tl.bfloat16, tl.float32):
            return _widened(x)
        return _rounded(x) if pair == (tl.float32, tl.bfloat16) else cast(self, x, dtype)

    def create_dot(self: Any, x: Any, y: Any, *args: Any) -> Any:
        return dot(self, _widened(x), _widened(y), *args)

    def binary_op(self: Any, x: Any, y: Any, operation: Any) -> Any:
        result = binary(self, _widened(x), _widened(y), operation)
        numbers = x.dtype.scalar == tl.bfloat16 and result.data.dtype == np.float32
        return _rounded(result) if numbers else result

    def sum_of(self: Any, x: Any) -> Any:
        if x.dtype.scalar != tl.bfloat16:
            return total(self, x)
        wide = total(self, self.to_tensor(_widened(x.handle).data, tl.float32))
        bits = _rounded(wide.handle)
        return tl.core.tensor(bits, tl.block_type(tl.bfloat16, wide.shape) if wide.shape else tl.bfloat16)

    builder.cast_impl, builder.create_dot, builder.binary_op, sums.sum = (
        cast_impl,
        create_dot,
        binary_op,
        sum_of,
    )


def _widened(x: Any) -> Any:
    if x.dtype.scalar != tl.bfloat16:
        return x
    numbers = (x.data.astype(np.uint32) << 16).view(np.float32)
    return interpreter.TensorHandle(numbers, tl.float32)


def _rounded(x: Any) -> Any:
    numbers = torch.from_numpy(np.array(x.data, dtype=np.float32, order="C")).bfloat16()
    return interpreter.TensorHandle(numbers.view(torch.int16).numpy().view(np.uint16), tl.bfloat16)
