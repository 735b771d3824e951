"""flash-linear-attention's kernels by name, imported when the first one is asked for.

The import takes seconds and fails without Triton, so it waits for the first CUDA tensor.
"""

from functools import cache
from importlib import import_module
from typing import Any


@cache
def fla_kernel(module: str, name: str) -> Any:
    """The function of this name in a module of flash-linear-attention."""
    return getattr(import_module(module), name)


@cache
def fla_kernel_problem(module: str, name: str) -> str | None:
    """Why a kernel cannot be used here, or None if it can."""
    try:
        fla_kernel(module, name)
    except Exception as error:  # a broken Triton raises more than ImportError
        return f"flash-linear-attention cannot be imported ({type(error).__name__}: {error})"
    return None
