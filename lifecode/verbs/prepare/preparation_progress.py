"""How far the preparation of a corpus is: a bar on a terminal, plain lines now and then elsewhere."""

import sys
import time
from types import TracebackType

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TaskProgressColumn, TextColumn, TimeElapsedColumn

_DOING = {"read": "reading", "write": "writing"}


class PreparationProgress:
    """The `progress` of `prepare_corpus`, on stderr.

    Args:
        every_seconds: between plain lines where there is no terminal.
    """

    def __init__(self, *, every_seconds: float = 20.0) -> None:
        console = Console(file=sys.stderr)
        columns = TextColumn("{task.description}"), BarColumn(), TaskProgressColumn(), TimeElapsedColumn()
        self._bar = Progress(*columns, console=console, transient=True) if console.is_terminal else None
        self._task: dict[str, TaskID] = {}
        self._every_seconds, self._last_line = every_seconds, time.perf_counter()

    def __enter__(self) -> "PreparationProgress":
        if self._bar is not None:
            self._bar.start()
            self._task["read"] = self._bar.add_task(_DOING["read"], total=None)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._bar is not None:
            self._bar.stop()

    def __call__(self, what: str, done: int, total: int) -> None:
        """Shows that so much of so much is done."""
        if self._bar is not None:
            if what not in self._task:
                self._task[what] = self._bar.add_task(_DOING[what], total=total)
            self._bar.update(self._task[what], completed=done, total=total)
        elif time.perf_counter() - self._last_line >= self._every_seconds:
            self._last_line = time.perf_counter()
            print(f"{_DOING[what]} {done / max(total, 1):.0%}", file=sys.stderr, flush=True)
