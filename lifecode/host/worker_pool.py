"""Worker processes on this machine: deaf to Ctrl-C, and gone when the one that they work for is."""

import multiprocessing
import os
import signal
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from multiprocessing.connection import Connection
from typing import Any

from lifecode.errors import UserError
from lifecode.host.safe_path import safe_children


@contextmanager
def worker_pool(
    workers: int, begin: Callable[..., None], *given: Any, key: str
) -> Iterator[ProcessPoolExecutor]:
    """A pool of processes; when the block ends with an error they are killed.

    Args:
        workers: how many.
        begin: called in each before its first task.
        given: arguments of `begin`.
        key: of the config, which says how many there are.

    Raises:
        UserError: they cannot be started, or one of them ended before its task.
    """
    context = multiprocessing.get_context("spawn")
    try:
        until_closed, lifeline = context.Pipe(duplex=False)
        pool = ProcessPoolExecutor(
            workers, context, initializer=_begin, initargs=(until_closed, begin, given)
        )
    except OSError as fault:  # of the semaphores in /dev/shm, or of too many files
        raise UserError(
            f"no worker processes can be started here ({fault.strerror or fault})",
            source=key,
            remedy=f"Make room in /dev/shm or raise ulimit -n, or do without: {key}=1",
        ) from fault
    try:
        with safe_children(), _killed_at_a_fault(pool):
            yield pool
            pool.shutdown()
    except BrokenProcessPool as fault:
        raise UserError(
            "a worker process ended before its task",
            source=key,
            remedy=f"If memory was short, lower {key}; a script of yours needs `if __name__ == '__main__':`",
        ) from fault
    finally:
        lifeline.close()
        pool.shutdown(cancel_futures=True)


@contextmanager
def _killed_at_a_fault(pool: ProcessPoolExecutor) -> Iterator[None]:
    """Ends the workers at once when the block does not end well; one that still starts would complain."""
    try:
        yield
    except BaseException:
        for process in list((pool._processes or {}).values()):
            process.kill()
        raise


def _begin(until_closed: Connection, begin: Callable[..., None], given: tuple[Any, ...]) -> None:
    """Leave Ctrl-C to the main process, and end with it, however it ends."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with, args=(until_closed,), daemon=True).start()
    begin(*given)


def _end_with(until_closed: Connection) -> None:
    until_closed.poll(None)  # returns when the other end is closed, also by the death of its process
    os._exit(1)
