"""What a person sees of a benchmark: a bar while it runs, then machine, table and lines."""

import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

from rich.console import Console
from rich.progress import Progress
from rich.table import Table

from lifecode.benchmarks.machine import Machine

_WIDTH_OF_A_FILE = 200
_SECONDS_BETWEEN_LINES = 20.0


@contextmanager
def progress_bar(total: int) -> Iterator[Callable[[str, int], None]]:
    """A bar on stderr over `total` calls, plain lines where there is no terminal.

    Yields the function that is told a label and calls done. Inside, SIGTERM does what Ctrl-C does, and both
    are heard in the background of a shell too, where they would be ignored.
    """
    console = Console(stderr=True)
    with _stopped_in_order():
        if console.is_terminal:
            with Progress(transient=True, console=console) as progress:
                task = progress.add_task("machine", total=total)
                yield lambda label, calls: progress.update(task, description=label, advance=calls)
        else:
            yield _PlainLines(total).say


@contextmanager
def _stopped_in_order() -> Iterator[None]:
    """Both signals that ask for an end raise KeyboardInterrupt inside; only the main thread can say so."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        for number in before:
            signal.signal(number, signal.default_int_handler)
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


class _PlainLines:
    """A line now and then: how many of the calls are done, and which is next."""

    def __init__(self, total: int) -> None:
        self._total, self._done, self._last_line = total, 0, time.perf_counter()

    def say(self, label: str, calls: int) -> None:
        """Counts calls, and prints if the last line is long enough ago."""
        self._done += calls
        if time.perf_counter() - self._last_line >= _SECONDS_BETWEEN_LINES:
            self._last_line = time.perf_counter()
            print(f"{self._done} of {self._total} calls done; {label}", file=sys.stderr, flush=True)


def print_report(machine: Machine, table: Table, lines: Sequence[str]) -> None:
    """Prints to stdout; into a file or pipe the table is not folded to the width of a terminal."""
    print(machine.description())
    console = Console()
    if not console.is_terminal:
        console = Console(width=max(_WIDTH_OF_A_FILE, console.width))
    console.print(table)
    for line in lines:
        print(line)
    if warning := machine.load_warning():
        print(warning)
