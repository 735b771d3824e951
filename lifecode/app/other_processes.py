"""Jobs of a sweep that a launcher runs in other processes of this machine, as joblib's does.

Their user errors come back as one file a job, so that none is lost and the others go on. A request to stop
reaches all of them: each saves and ends as a run of its own does, and jobs that wait do not begin.
"""

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from multiprocessing import active_children
from multiprocessing.process import BaseProcess
from pathlib import Path
from secrets import token_hex
from types import FrameType

from lifecode.host.stop_signals import ASKED, die_of, take_over, taken_over

_STOP, _HOME = "stop", "home"


class OtherProcesses:
    """What the process of the command and those of its jobs tell each other, through a folder.

    Args:
        folder: that all of them see; None where there is one process only.
    """

    def __init__(self, folder: Path | None) -> None:
        self._folder, self._home, self._token = folder, os.getpid(), token_hex(8)
        if folder is not None:
            (folder / _HOME).write_text(self._token)

    @property
    def folder(self) -> Path | None:
        """That all of them see."""
        return self._folder

    def here(self) -> bool:
        """Whether this is another process than that of the command, and one that can reach it.

        A launcher makes the folder on another machine too, but without the token in it.
        """
        if os.getpid() == self._home or self._folder is None:
            return False
        home = self._folder / _HOME
        return home.exists() and home.read_text() == self._token

    def elsewhere(self) -> bool:
        """Whether this is another process that cannot reach that of the command, as on another machine."""
        return os.getpid() != self._home and not self.here()

    def begin_job(self) -> None:
        """Called in the job's process: no progress bars side by side, and signals are heeded from now on."""
        os.environ["TTY_COMPATIBLE"] = "0"
        take_over(signal.default_int_handler, ASKED)

    @property
    def stop_requested(self) -> bool:
        """Whether the sweep shall end."""
        return self._folder is not None and (self._folder / _STOP).exists()

    def request_stop(self) -> None:
        """Jobs that have not begun will not."""
        if self._folder is not None and self._folder.is_dir():
            (self._folder / _STOP).touch()

    def fail(self, job: int, line: str) -> None:
        """Leaves the user error of a job for the process of the command."""
        assert self._folder is not None
        (self._folder / f"{job:06d}.failure").write_text(line)

    def failures(self) -> list[str]:
        """The user errors of all jobs so far, in the order of the jobs."""
        if self._folder is None:
            return []
        return [path.read_text() for path in sorted(self._folder.glob("*.failure"))]

    @contextmanager
    def signals_passed_on(self) -> Iterator[None]:
        """While jobs run elsewhere, Ctrl-C and SIGTERM stop them in order, and a second one at once."""
        if self._folder is None:
            yield
            return
        with taken_over(self._stop_all):
            yield

    def _stop_all(self, number: int, frame: FrameType | None) -> None:
        jobs = [child for child in active_children() if _is_job(child)]
        if number != signal.SIGINT and os.getpid() != self._home:
            die_of(number)
        if not jobs or self.stop_requested:
            raise KeyboardInterrupt
        self.request_stop()
        if number != signal.SIGINT:  # a terminal sends Ctrl-C to every process, SIGTERM comes to one
            for job in jobs:
                job.terminate()


def _is_job(child: BaseProcess) -> bool:
    return type(child).__module__.startswith("joblib.")
