"""How many cores this process may use: fewer than the machine has under taskset, SLURM or a container."""

import os


def usable_cores() -> int:
    """Cores that the operating system grants this process."""
    granted = getattr(os, "sched_getaffinity", None)
    return len(granted(0)) if granted else os.cpu_count() or 1
