"""What the system denies the loader workers, as one line: memory they share, open files, their lives."""

import errno
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from lifecode.errors import UserError

_ON = "The same command goes on from the last checkpoint"
_SHARED = "the loader workers found no room in the shared memory of this machine (/dev/shm)"
_FILES = "the system lets this process open no more files (ulimit -n)"
_KILLED = "a loader worker was killed, perhaps for want of memory"
_SAYINGS = {
    "shared memory": _SHARED,
    "unable to mmap": _SHARED,
    "unable to write to file </torch": _SHARED,
    "Too many open files": _FILES,
    "received 0 items of ancdata": _FILES,
    "DataLoader worker": _KILLED,
}
"""What a part of the message of torch means, the first that fits."""
_UNTIL_SIGNALLED = 0.5
"""Seconds within which the death of a worker is signalled after its connection has ended."""


@contextmanager
def loader_faults_named() -> Iterator[None]:
    """Names the fault of the loader workers in the block.

    Raises:
        UserError: in place of what torch or the system raised.
    """
    try:
        yield
    except (RuntimeError, OSError, EOFError) as fault:
        if isinstance(fault, ConnectionError | EOFError):
            with suppress(RuntimeError):  # of torch's handler of SIGCHLD, which would come later, anywhere
                time.sleep(_UNTIL_SIGNALLED)
        problems = [_problem(link) for link in _chain(fault)]
        problem = next(filter(None, problems), None)
        if problem is None:
            raise
        remedy = f"{_ON}; trainer.num_workers=0 does without workers"
        raise UserError(problem, remedy=remedy) from fault


def _chain(fault: BaseException | None) -> Iterator[BaseException]:
    """The error and those it came from; Lightning raises another one while it ends its loaders."""
    while fault is not None and not isinstance(fault, UserError):
        yield fault
        fault = fault.__cause__ or fault.__context__


def _problem(fault: BaseException) -> str | None:
    if isinstance(fault, OSError) and fault.errno in (errno.EMFILE, errno.ENFILE):
        return _FILES
    if isinstance(fault, ConnectionError | EOFError):
        return _KILLED  # while its result was on the way
    if isinstance(fault, OSError) and fault.errno == errno.ENOSPC and fault.filename is None:
        return _SHARED  # a file would have a name
    if not isinstance(fault, RuntimeError | OSError):
        return None
    return next((words for saying, words in _SAYINGS.items() if saying in str(fault)), None)
