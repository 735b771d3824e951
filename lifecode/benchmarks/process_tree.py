"""Memory of a process together with all that it starts, seen from outside.

Resident sizes are added up, so pages that two processes share count twice: the sum is an upper bound.
Only Linux tells them; elsewhere there is no figure.
"""

import resource
from pathlib import Path

_PROCESSES = Path("/proc")


def tree_bytes(process: int) -> int | None:
    """Resident memory of a process and of all below it; None where the system does not say.

    A process that ends meanwhile counts as nothing.
    """
    if not (_PROCESSES / "self/statm").exists():
        return None
    return _resident_bytes(process) + sum(tree_bytes(child) or 0 for child in _children(process))


def _resident_bytes(process: int) -> int:
    try:
        return int((_PROCESSES / f"{process}/statm").read_text().split()[1]) * resource.getpagesize()
    except (OSError, IndexError):
        return 0


def _children(process: int) -> list[int]:
    try:
        threads = list((_PROCESSES / f"{process}/task").iterdir())
        return [int(child) for thread in threads for child in (thread / "children").read_text().split()]
    except OSError:
        return []
