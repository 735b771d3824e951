"""How far a command is: one changing line on a terminal, a plain line now and then elsewhere."""

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import TracebackType
from typing import Protocol

from rich.console import Console
from rich.progress import (
    BarColumn,
    Progress,
    SpinnerColumn,
    TaskID,
    TaskProgressColumn,
    TextColumn,
    TimeRemainingColumn,
)

from lifecode.names import display_name

_LONGEST = 160
"""Characters of the line: names in it may be of any length."""


class Activity:
    """Shows where a long command is, on stderr.

    Args:
        every_seconds: between plain lines where there is no terminal.
    """

    def __init__(self, *, every_seconds: float = 20.0) -> None:
        console = Console(file=sys.stderr)
        self._bar = _bar(console) if console.is_terminal else None
        self._task: TaskID | None = None
        self._work: tuple[int | None, str] = (None, "")
        self._every_seconds, self._last_line = every_seconds, time.perf_counter()

    def __enter__(self) -> "Activity":
        if self._bar is not None:
            self._bar.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._bar is not None:
            self._bar.stop()

    def say(self, text: str, done: int = 0, total: int | None = None) -> None:
        """Replaces the line on a terminal; elsewhere prints it if the last one is long enough ago.

        Args:
            text: what is being done.
            done: so much of it; with a total a bar says the time that is left.
            total: of which that is a part; another total or text begins another bar.
        """
        text = display_name(text, _LONGEST)
        if self._bar is not None:
            work = (total, text if total is not None else "")
            if self._task is None or work != self._work:
                if self._task is not None:
                    self._bar.remove_task(self._task)
                self._task, self._work = self._bar.add_task("", total=total), work
            self._bar.update(self._task, description=text, completed=done)
        elif time.perf_counter() - self._last_line >= self._every_seconds:
            self._last_line = time.perf_counter()
            share = "" if total is None else f" {done / max(total, 1):.0%}"
            print(text + share, file=sys.stderr, flush=True)


class Say(Protocol):
    """Takes a line on how far a command is, as `Activity.say`."""

    def __call__(self, text: str, done: int = 0, total: int | None = None) -> None:
        """See `Activity.say`."""
        ...


def _nobody(text: str, done: int = 0, total: int | None = None) -> None:
    """Says nothing."""


@contextmanager
def told(progress: bool) -> Iterator[Say]:
    """What takes lines on how far it is: an `Activity` says them, or nobody without `progress`."""
    if not progress:
        yield _nobody
        return
    with Activity() as activity:
        yield activity.say


def counting(say: Say, what: str) -> Callable[[int, int], None]:
    """Takes how many are done, and of how many, and says it: `10 of 200 variants`."""
    return lambda done, total: say(f"{done:,} of {total:,} {what}")


def _bar(console: Console) -> Progress:
    return Progress(
        SpinnerColumn(),
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        TaskProgressColumn(),
        TimeRemainingColumn(),
        console=console,
        transient=True,
    )
