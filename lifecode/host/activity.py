"""What a command is doing: one changing line on a terminal, a plain line now and then elsewhere."""

import sys
import time
from types import TracebackType

from rich.console import Console
from rich.text import Text

from lifecode.names import display_name

_LONGEST = 160
"""Characters of the line: names in it may be of any length."""


class Activity:
    """Shows where a long command is, on stderr.

    Args:
        every_seconds: between plain lines where there is no terminal.
    """

    def __init__(self, *, every_seconds: float = 20.0) -> None:
        self._console = Console(file=sys.stderr)
        self._status = self._console.status("") if self._console.is_terminal else None
        self._every_seconds, self._last_line = every_seconds, time.perf_counter()

    def __enter__(self) -> "Activity":
        if self._status is not None:
            self._status.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._status is not None:
            self._status.stop()

    def say(self, text: str) -> None:
        """Replaces the line on a terminal; elsewhere prints it if the last one is long enough ago."""
        text = display_name(text, _LONGEST)
        if self._status is not None:
            self._status.update(Text(text))
        elif time.perf_counter() - self._last_line >= self._every_seconds:
            self._last_line = time.perf_counter()
            print(text, file=sys.stderr, flush=True)
