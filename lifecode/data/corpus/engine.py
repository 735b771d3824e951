"""What runs the tasks of a preparation: the processes of this machine here, a Ray cluster in `ray_engine`.

A task is a function of one picklable argument that leaves its result on disk, so an engine hands back
nothing but the numbers of the tasks as they finish, and what it yields cannot depend on it.
"""

import multiprocessing
import os
import signal
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from multiprocessing.connection import Connection
from typing import Any, Protocol, TypeAlias

import pyarrow as pa

from lifecode.errors import UserError
from lifecode.host.safe_path import safe_children
from lifecode.host.stop_signals import held_back
from lifecode.host.usable_cores import usable_cores

Run: TypeAlias = Callable[[Callable[[Any], None], Sequence[Any]], Iterator[int]]
"""Calls a function on every task and yields the number of each task when it is done."""


class Engine(Protocol):
    """Somewhere to run tasks."""

    def started(self, num_tasks: int) -> AbstractContextManager[Run]:
        """A `Run` for rounds of about `num_tasks` tasks; at an error the tasks that still run are stopped."""
        ...


@dataclass(frozen=True, slots=True)
class LocalEngine:
    """A pool of processes on this machine; none for a single task or worker.

    Args:
        workers: processes; None for one a core.

    Raises:
        UserError: fewer than one worker.
    """

    workers: int | None = None

    def __post_init__(self) -> None:
        if self.workers is not None and self.workers < 1:
            raise UserError(
                f"{self.workers} workers do nothing", source="engine.workers", remedy="Give 1 or more"
            )

    @contextmanager
    def started(self, num_tasks: int) -> Iterator[Run]:
        """As for `Engine`."""
        workers = min(self.workers or usable_cores(), num_tasks)
        if workers <= 1:
            before = pa.default_memory_pool()
            pa.set_memory_pool(pa.system_memory_pool())
            try:
                yield _run_here
            finally:
                pa.set_memory_pool(before)
            return
        context = multiprocessing.get_context("spawn")
        try:
            until_closed, lifeline = context.Pipe(duplex=False)
            pool = ProcessPoolExecutor(workers, context, initializer=_begin_worker, initargs=(until_closed,))
        except OSError as fault:  # of the semaphores in /dev/shm, or of too many files
            raise UserError(
                f"no worker processes can be started here ({fault.strerror or fault})",
                source="engine",
                remedy="Make room in /dev/shm or raise ulimit -n, or do without: engine.workers=1",
            ) from fault
        try:
            with safe_children(), _killed_at_a_fault(pool):
                yield lambda function, tasks: _run_in(pool, function, tasks)
                pool.shutdown()
        except BrokenProcessPool as fault:
            raise UserError(
                "a worker process ended before its task",
                source="engine",
                remedy="If memory was short, lower engine.workers; a script of yours that prepares a corpus "
                "needs `if __name__ == '__main__':`",
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


def _run_here(function: Callable[[Any], None], tasks: Sequence[Any]) -> Iterator[int]:
    for number, task in enumerate(tasks):
        function(task)
        yield number


def _run_in(
    pool: ProcessPoolExecutor, function: Callable[[Any], None], tasks: Sequence[Any]
) -> Iterator[int]:
    with held_back():  # a worker whose start is broken off says so
        number_of = {pool.submit(function, task): number for number, task in enumerate(tasks)}
    for done in as_completed(number_of):
        done.result()
        yield number_of[done]


def _begin_worker(until_closed: Connection) -> None:
    """Leave Ctrl-C to the main process, and end with it, however it ends."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    pa.set_cpu_count(1)
    pa.set_memory_pool(pa.system_memory_pool())  # gives memory back; a third less at the peak
    threading.Thread(target=_end_with, args=(until_closed,), daemon=True).start()


def _end_with(until_closed: Connection) -> None:
    until_closed.poll(None)  # returns when the other end is closed, also by the death of its process
    os._exit(1)
