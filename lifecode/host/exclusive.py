"""One process at a time at something, whoever starts: the others wait for a lock file that comes and goes.

The lock is the operating system's, so it goes with the process that holds it, however that ends. The file is
removed while it is locked; a process that waited for one that is gone sees so, and takes the new one.
"""

import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from filelock import FileLock

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None

logger = logging.getLogger(__name__)


@contextmanager
def exclusive(lock: Path, doing: str) -> Iterator[None]:
    """Runs the block while no other process runs one under the same lock file; says so where it waits.

    Args:
        lock: file that is made, and removed at the end; its folder exists.
        doing: what the block does, for those who wait: `writing this report`.

    Raises:
        OSError: the lock file cannot be made.
    """
    if fcntl is None:
        with FileLock(lock):
            yield
        return
    descriptor = _taken(lock, doing)
    try:
        yield
    finally:
        with suppress(OSError):
            lock.unlink(missing_ok=True)
        os.close(descriptor)


def _taken(lock: Path, doing: str) -> int:
    """The descriptor of the locked file, which is still the one that stands at its path."""
    assert fcntl is not None
    while True:
        flags = os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK
        descriptor = os.open(lock, flags, 0o644)
        try:
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                logger.warning("%s: another process is %s; waiting for it to end", lock.parent, doing)
                fcntl.flock(descriptor, fcntl.LOCK_EX)
            with suppress(FileNotFoundError):
                if os.path.samestat(os.fstat(descriptor), os.stat(lock)):
                    return descriptor
        except BaseException:
            os.close(descriptor)
            raise
        os.close(descriptor)
