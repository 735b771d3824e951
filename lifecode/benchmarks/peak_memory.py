"""The largest memory a process held while something ran.

On Linux the kernel's own high-water mark of resident memory (`VmHWM`) is set back before the call, and what
the allocator kept of earlier calls is returned first: kept memory would be used again without showing as new.
Elsewhere `ru_maxrss` only grows: a call that needs less than an earlier one then shows no extra memory, which
is why benchmarks go from short inputs to long ones.
"""

import ctypes
import gc
import re
import resource
import sys
from pathlib import Path

import torch

from lifecode.ops.buffers import release_free

_STATUS, _CLEAR_REFS, _MEMINFO = (
    Path(f"/proc/{name}") for name in ("self/status", "self/clear_refs", "meminfo")
)


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


def available_bytes() -> int | None:
    """Memory that new allocations can use without swapping, or None where the system does not say."""
    kibibytes = _field(_MEMINFO, "MemAvailable")
    return None if kibibytes is None else kibibytes * 1024


def total_bytes() -> int | None:
    """Memory of the machine, or None where the system does not say."""
    kibibytes = _field(_MEMINFO, "MemTotal")
    return None if kibibytes is None else kibibytes * 1024


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
    kibibytes = _field(_STATUS, "VmHWM")
    if kibibytes is not None:
        return kibibytes * 1024
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024


def _field(path: Path, name: str) -> int | None:
    try:
        found = re.search(rf"^{name}:\s+(\d+) kB", path.read_text(), re.MULTILINE)
    except OSError:
        return None
    return int(found[1]) if found else None
