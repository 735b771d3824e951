"""The largest memory a process held while something ran.

On Linux the kernel's own high-water mark of resident memory (`VmHWM`) is set back before the call, and what
the allocator kept of earlier calls is returned first: kept memory would be used again without showing as new.
Elsewhere `ru_maxrss` only grows: a call that needs less than an earlier one then shows no extra memory, which
is why benchmarks go from short inputs to long ones.
"""

import ctypes
import gc
import re
from pathlib import Path

import torch

from lifecode.ops.cpu.buffers import release_free
from lifecode.training.run.run_folder import peak_memory_bytes

_STATUS, _CLEAR_REFS = (Path(f"/proc/self/{name}") for name in ("status", "clear_refs"))


class PeakMemory:
    """Resident memory of this process, or allocated memory of its GPU; all figures in bytes.

    Args:
        device: `cpu` or `cuda`.
    """

    def __init__(self, device: str = "cpu") -> None:
        self.on_cuda = device == "cuda"

    def reset(self) -> int:
        """Frees what is unused and starts a new peak; returns what is held (without `VmHWM`: the peak)."""
        if self.on_cuda:
            torch.cuda.reset_peak_memory_stats()
        else:
            return_free_memory()
            _reset_high_water_mark()
        return self.peak()

    def peak(self) -> int:
        """The largest memory since the last `reset`."""
        return torch.cuda.max_memory_allocated() if self.on_cuda else _high_water_mark()


def return_free_memory() -> None:
    """Gives what this process has freed back to the system."""
    gc.collect()
    release_free()
    try:
        ctypes.CDLL(None).malloc_trim(0)
    except (AttributeError, OSError):  # not glibc
        return


def _reset_high_water_mark() -> None:
    try:
        _CLEAR_REFS.write_text("5")  # proc(5): 5 sets VmHWM to what is resident now
    except OSError:
        return


def _high_water_mark() -> int:
    try:
        found = re.search(r"^VmHWM:\s+(\d+) kB", _STATUS.read_text(), re.MULTILINE)
    except OSError:
        found = None
    return int(found[1]) * 1024 if found else peak_memory_bytes()
