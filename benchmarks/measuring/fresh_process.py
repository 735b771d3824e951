"""A workload in a process of its own: no contender inherits another's memory, caches or threads.

The process is spawned, not forked, waits without using a core until it is asked for something, and answers
one request at a time. It lives through all lengths of a run, which saves the seconds that an import of torch
takes; `peak_memory` sees to it that one length does not hide the memory of the next.
"""

import multiprocessing
import signal
import time
import warnings
from collections.abc import Callable
from contextlib import suppress
from multiprocessing.connection import Connection
from types import TracebackType
from typing import Any, NamedTuple, Protocol, Self

import torch

from benchmarks.measuring.peak_memory import PeakMemory, return_free_memory
from lifecode.errors import UserError
from lifecode.host.safe_path import safe_children

_LONGEST_REASON = 160


class Workload(Protocol):
    """What is measured. Built in the process that measures it."""

    def prepare(self, length: int) -> dict[str, float]:
        """Makes the inputs of one length; returns facts about them for the report."""
        ...

    def run(self, part: str) -> None:
        """The call that is timed."""
        ...


class Measured(NamedTuple):
    """One timed call.

    Attributes:
        seconds: wall-clock time.
        extra_bytes: peak memory during the call beyond what was held when it began, when the inputs existed;
            None if memory was not measured.
        peak_bytes: that peak itself, with inputs, libraries and interpreter.
    """

    seconds: float
    extra_bytes: int | None = None
    peak_bytes: int | None = None


class ContenderFailed(Exception):
    """The workload raised, or its process ended; the text says why in one line."""


class FreshProcess:
    """Starts a process that builds a workload and serves it; a context manager that ends it.

    Args:
        factory: makes the `Workload`, there; picklable.
        threads: for torch and the compiled kernels.
        device: `cpu` or `cuda`, where the memory is counted.
    """

    def __init__(self, factory: Callable[[], Any], *, threads: int, device: str = "cpu") -> None:
        context = multiprocessing.get_context("spawn")
        self._connection, theirs = context.Pipe()
        self._process = context.Process(target=_serve, args=(theirs, factory, threads, device), daemon=True)
        with safe_children():
            self._process.start()
        theirs.close()

    def call(self, method: str, *arguments: Any) -> Any:
        """What a method of the workload returns.

        Raises:
            ContenderFailed: it raised, or the process is gone.
        """
        try:
            self._connection.send((method, arguments))
            succeeded, result = self._connection.recv()
        except (EOFError, OSError) as error:
            raise ContenderFailed(self._death()) from error
        if not succeeded:
            raise ContenderFailed(result)
        return result

    def measure(self, part: str, *, with_memory: bool = False) -> Measured:
        """Times `run(part)` once; with memory it starts from trimmed memory, which makes it slower."""
        return self.call("measure", part, with_memory)

    def release(self) -> None:
        """Has the process give what it has freed back to the system; a dead one has."""
        with suppress(ContenderFailed):
            self.call("release")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._process.kill()
        self._process.join()
        self._connection.close()

    def _death(self) -> str:
        self._process.join(timeout=10)
        code = self._process.exitcode
        if code == -signal.SIGKILL:
            return "its process was killed, most likely for lack of memory"
        return f"its process ended with code {code}"


def _serve(connection: Connection, factory: Callable[[], Any], threads: int, device: str) -> None:
    """Answers (method, arguments) with (True, result) or (False, reason) until the other end closes."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches the whole group: the parent decides
    warnings.simplefilter("ignore")  # what packages say on import is not about the measurement
    torch.set_num_threads(threads)
    workload: Any = None
    while True:
        try:
            method, values = connection.recv()
        except EOFError:
            return
        if method == "release":
            return_free_memory()
            connection.send((True, None))
            continue
        try:
            workload = factory() if workload is None else workload
            timed = method == "measure"
            result = _measure(workload, device, *values) if timed else getattr(workload, method)(*values)
            answer = True, result
        except Exception as error:
            answer = False, failure_reason(error)
        connection.send(answer)


def _measure(workload: Workload, device: str, part: str, with_memory: bool) -> Measured:
    memory = PeakMemory(device)
    before = memory.reset() if with_memory else 0
    _wait_for(device)
    start = time.perf_counter()
    workload.run(part)
    _wait_for(device)
    seconds = time.perf_counter() - start
    if not with_memory:
        return Measured(seconds)
    peak = memory.peak()
    return Measured(seconds, peak - before, peak)


def _wait_for(device: str) -> None:
    if device == "cuda":
        torch.cuda.synchronize()


def failure_reason(error: Exception) -> str:
    """Why something failed, in one line of bounded length."""
    text = " ".join(str(error).split())
    text = text if isinstance(error, UserError) else f"{type(error).__name__}: {text}"
    return text if len(text) <= _LONGEST_REASON else f"{text[: _LONGEST_REASON - 1]}…"
