"""The signals that ask a program to end: Ctrl-C, SIGTERM, and SIGHUP of a terminal that is closed.

Python lets only the main thread decide about them, and what the program was started to ignore (`nohup`) stays
ignored.
"""

import os
import signal
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from types import FrameType
from typing import Any, TypeAlias

Handler: TypeAlias = Callable[[int, FrameType | None], Any]
ASKED = tuple(getattr(signal, name) for name in ("SIGTERM", "SIGHUP") if hasattr(signal, name))
"""Those that come from another program."""
_ALL = (signal.SIGINT, *ASKED)
_SAME_REQUEST_SECONDS = 5.0


def take_over(handler: Handler, numbers: Sequence[int] = _ALL) -> dict[int, Any]:
    """Has signals call `handler`, as far as this thread may; returns what they did before."""
    if threading.current_thread() is not threading.main_thread():
        return {}
    heeded = [number for number in numbers if signal.getsignal(number) not in (signal.SIG_IGN, None)]
    return {number: signal.signal(number, handler) for number in heeded}


@contextmanager
def taken_over(handler: Handler, numbers: Sequence[int] = _ALL) -> Iterator[None]:
    """As `take_over`, for the block."""
    before = take_over(handler, numbers)
    try:
        yield
    finally:
        for number, previous in before.items():
            signal.signal(number, previous)


@contextmanager
def held_back() -> Iterator[None]:
    """A signal that arrives in the block is heeded at its end."""
    came: list[int] = []
    with taken_over(lambda number, _: came.append(number)):
        yield
    if came:
        signal.raise_signal(came[0])


@contextmanager
def ends_in_order() -> Iterator[None]:
    """Inside, SIGTERM and SIGHUP raise KeyboardInterrupt, as Ctrl-C does, so that temporary files go.

    Both come twice from some senders, and the second would stop what the first has begun: it is not heeded at
    first. A process that was forked from this one dies of them as if nothing had been said.
    """
    home, last = os.getpid(), -_SAME_REQUEST_SECONDS

    def end(number: int, frame: FrameType | None) -> None:
        nonlocal last
        if os.getpid() != home:
            die_of(number)
        if (now := time.monotonic()) - last > _SAME_REQUEST_SECONDS:
            last = now
            raise KeyboardInterrupt

    with taken_over(end, ASKED):
        yield


def die_of(number: int) -> None:
    """Ends this process as a signal does that nobody handles."""
    signal.signal(number, signal.SIG_DFL)
    os.kill(os.getpid(), number)
