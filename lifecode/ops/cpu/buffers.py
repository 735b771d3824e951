"""Memory of the compiled kernels' large results, kept when a result is gone and lent to the next one.

A buffer belongs to the process that took it: after a fork the child sees what the parent had written, writes
to pages of its own, and neither lends nor keeps the parent's buffers.

The C library takes every tensor of 32 MB or more from the system anew, and each of its pages costs an
interruption and a wipe when it is first written: at 5,000 positions two fifths of the time of the compiled
delta rule. A buffer is lent as an ordinary tensor and comes back by itself when nothing refers to it. A
call that finds none of its size gives others back to the system first, so that what is kept does not grow
beyond what was once needed.
"""

import math
import mmap
import os
import threading
import weakref
from collections.abc import Sequence
from contextlib import suppress

import numpy as np
import torch
from torch import Tensor

SMALLEST_BYTES = 2**25
_PAGE_BYTES = 2**21
# Without flags `mmap` shares memory with forked children; where there is no fork it has none.
_PRIVATE = {"flags": mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS} if hasattr(mmap, "MAP_PRIVATE") else {}

# Reentrant: a garbage collection inside the lock may give buffers back.
_lock = threading.RLock()
_free: list[mmap.mmap] = []  # the longest unused first


def empty(shape: Sequence[int], dtype: torch.dtype = torch.float32) -> Tensor:
    """An uninitialised tensor on the CPU, like `torch.empty`."""
    num_bytes = dtype.itemsize * math.prod(shape)
    if num_bytes < SMALLEST_BYTES:
        return torch.empty(*shape, dtype=dtype, device="cpu")
    memory = _take(num_bytes)
    array = np.frombuffer(memory, dtype=np.uint8, count=num_bytes)
    weakref.finalize(array, _give_back, memory, os.getpid()).atexit = False
    tensor = torch.from_numpy(array).view(dtype).view(*shape)
    poisoned = getattr(torch.utils.deterministic, "fill_uninitialized_memory", False)
    if torch.are_deterministic_algorithms_enabled() and poisoned:
        tensor.fill_(torch.nan)
    return tensor


def num_free() -> int:
    """How many buffers are kept to be lent again."""
    return len(_free)


def release_free() -> None:
    """Gives every buffer that is not lent back to the system."""
    with _lock:
        while _free:
            _free.pop().close()


def _take(num_bytes: int) -> mmap.mmap:
    """A free buffer that fits without wasting more than a quarter, else a new one."""
    with _lock:
        fitting = [memory for memory in _free if num_bytes <= len(memory) <= 1.25 * num_bytes]
        if fitting:
            memory = min(fitting, key=len)
            _free.remove(memory)
            return memory
        released = 0
        while _free and released < num_bytes:
            released += len(_free[0])
            _free.pop(0).close()
    memory = mmap.mmap(-1, -(-num_bytes // _PAGE_BYTES) * _PAGE_BYTES, **_PRIVATE)
    if hasattr(mmap, "MADV_HUGEPAGE"):
        with suppress(OSError):  # a kernel built without huge pages
            memory.madvise(mmap.MADV_HUGEPAGE)
    return memory


def _give_back(memory: mmap.mmap, owner: int) -> None:
    if owner != os.getpid():
        return
    with _lock:
        _free.append(memory)


def _forget_parent() -> None:
    """Leaves the parent's buffers to the parent, and its lock, which another of its threads may have held."""
    global _lock
    _lock = threading.RLock()
    _free.clear()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget_parent)
