"""Run a compiled kernel on as many threads as torch uses, from any thread, without a second thread library.

Numba's own parallel loops need a threading layer: OpenMP is not there on every platform, and the layer that
always is aborts when two threads call it at once, as autograd does. Our kernels release the interpreter lock
and take their tasks from a shared counter, so plain Python threads do: 0.1 ms a call, and balanced however
unequal the tasks are.
"""

import os
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from typing import Any

import torch
from llvmlite import ir
from numba import types

from lifecode.ops.cpu.compiled import code_generator

_lock = threading.Lock()
_pool: ThreadPoolExecutor | None = None


@code_generator
def next_task(typingctx: Any, counter: Any) -> Any:
    """`next_task(counter)`: the number in an int64 array of one element, which it raises by one."""

    def emit(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        array = context.make_array(counter)(context, builder, args[0])
        return builder.atomic_rmw("add", array.data, ir.IntType(64)(1), "monotonic")

    return types.int64(counter), emit


def run_on_workers(kernel: Callable[..., None], workspaces: Sequence[Any], *args: Any) -> None:
    """Call `kernel(workspace, *args)` for all workspaces at the same time, one thread each, and wait.

    Args:
        kernel: releases the interpreter lock and shares out its tasks through `next_task`.
        workspaces: memory of each thread.
        args: further arguments, the same for all.
    """
    first, *others = workspaces
    futures = []
    for other in others:
        try:
            futures.append(_threads().submit(kernel, other, *args))
        except RuntimeError:  # no further thread can be had: the others do its tasks
            break
    kernel(first, *args)
    wait(futures)
    for future in futures:
        future.result()


def num_workers(tasks: int) -> int:
    """How many threads to use for this many tasks: as many as torch, at most one a task."""
    return max(1, min(torch.get_num_threads(), tasks))


def _threads() -> ThreadPoolExecutor:
    global _pool
    with _lock:
        if _pool is None:
            _pool = ThreadPoolExecutor(max(64, os.cpu_count() or 1), thread_name_prefix="lifecode-kernel")
        return _pool


def _forget_threads() -> None:
    global _pool, _lock
    _pool, _lock = None, threading.Lock()


# Threads do not survive a fork (a DataLoader worker): the child starts its own.
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget_threads)
