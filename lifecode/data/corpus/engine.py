"""What runs the tasks of a preparation: the processes of this machine here, a Ray cluster in `ray_engine`.

A task is a function of one picklable argument that leaves its result on disk, so an engine hands back
nothing but the numbers of the tasks as they finish, and what it yields cannot depend on it.
"""

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from typing import Any, Protocol, TypeAlias

import pyarrow as pa

from lifecode.errors import UserError
from lifecode.host.stop_signals import held_back
from lifecode.host.usable_cores import usable_cores
from lifecode.host.worker_pool import worker_pool

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
        with worker_pool(workers, _with_little_memory, key="engine.workers") as pool:
            yield lambda function, tasks: _run_in(pool, function, tasks)


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


def _with_little_memory() -> None:
    pa.set_cpu_count(1)
    pa.set_memory_pool(pa.system_memory_pool())  # gives memory back; a third less at the peak
