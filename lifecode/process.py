"""Two settings of the process that make torch's CPU training several times faster, and change no result."""

import ctypes
import os
import sys

_TRIM_THRESHOLD, _MMAP_MAX = -1, -4  # from <malloc.h>


def tune_process() -> None:
    """Call once, before torch is imported; a variable of the environment that is already set stays.

    - OpenMP threads that wait by spinning make torch ten times slower as soon as something else wants a
      core, so they spin for a short time only.
    - glibc gives a freed tensor of 32 MB or more back to the system and gets the next one page by page:
      up to two fifths of a step at 16,000 codons. It is told to keep what is freed.
    """
    os.environ.setdefault("GOMP_SPINCOUNT", "1000")
    if sys.platform == "linux" and not any(name.startswith("MALLOC_") for name in os.environ):
        mallopt = getattr(ctypes.CDLL(None), "mallopt", None)  # musl has none
        if mallopt is not None:
            mallopt(_MMAP_MAX, 0)
            mallopt(_TRIM_THRESHOLD, -1)
