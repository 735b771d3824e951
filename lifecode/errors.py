"""What a user sees when a command stops: what went wrong, where, and what to do about it."""

from collections.abc import Callable
from functools import partial


class UserError(ValueError):
    """A problem in the user's input or configuration, never a fault of the program.

    The command line prints it as one line and exits with code 2; in Python it is a `ValueError`.

    Args:
        problem: what is wrong, without a full stop.
        source: file or config key the problem was found in.
        record: record inside that file (contig, CDS, sequence id).
        remedy: what the user can do about it.
    """

    def __init__(
        self,
        problem: str,
        *,
        source: object | None = None,
        record: object | None = None,
        remedy: str | None = None,
    ) -> None:
        self.problem, self.source, self.record, self.remedy = problem, source, record, remedy
        where = [str(source)] if source is not None else []
        where += [f"record {record}"] if record is not None else []
        sentence = ": ".join([", ".join(where), problem] if where else [problem])
        message = f"{sentence}. {remedy}" if remedy else sentence
        super().__init__(" ".join(message.split()))

    def __reduce__(self) -> tuple[Callable[..., "UserError"], tuple[()]]:
        """So that an error of a worker process arrives as it was."""
        where = {"source": self.source, "record": self.record, "remedy": self.remedy}
        return partial(type(self), self.problem, **where), ()


class Interrupted(KeyboardInterrupt):
    """Stopped on request with nothing lost; the message says how to go on.

    A `KeyboardInterrupt`, so no `except Exception` on the way swallows it. The command line prints it as one
    line and exits with code 130.
    """


class AlreadyReported(SystemExit):
    """Another process of the run failed and has said why; `code` is its exit code."""
