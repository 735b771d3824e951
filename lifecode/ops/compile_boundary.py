"""Where `torch.compile` stops: an op runs as written, and what lies between the ops is compiled.

The native kernels read tensors as numpy arrays and the segment borders as Python integers, which a compiler
cannot trace: it would see arrays without values. A break at the call of an op is clean, and the kernels
inside are compiled already.
"""

from collections.abc import Callable
from typing import Any, TypeVar

import torch

Op = TypeVar("Op", bound=Callable[..., Any])


def compile_boundary(op: Op) -> Op:
    """The same function, called but never traced by `torch.compile`."""
    return torch.compiler.disable(op, reason="a kernel boundary of lifecode")  # pyright: ignore
