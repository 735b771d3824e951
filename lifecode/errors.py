"""What a user sees when a command stops: what went wrong, where, and what to do about it."""

from collections.abc import Callable
from functools import partial

from lifecode.names import display_name

_LONGEST_RECORD, _LONGEST_SENTENCE = 100, 2_000
"""Characters that are shown of them: a name may be a megabyte long."""


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
        where = [_one_line(source)] if source is not None else []
        where += [f"record {display_name(record, _LONGEST_RECORD)}"] if record is not None else []
        sentence = ": ".join([", ".join(where), _one_line(problem)] if where else [_one_line(problem)])
        super().__init__(f"{sentence}. {_one_line(remedy)}" if remedy else sentence)

    def __reduce__(self) -> tuple[Callable[..., "UserError"], tuple[()]]:
        """So that an error of a worker process arrives as it was."""
        where = {"source": self.source, "record": self.record, "remedy": self.remedy}
        return partial(type(self), self.problem, **where), ()


def _one_line(text: object) -> str:
    return display_name(" ".join(str(text).split()), _LONGEST_SENTENCE)


def require_at_least(least: int, settings: object, *names: str, within: str) -> None:
    """Raise a UserError for the first of these attributes of `settings` that is less than `least`.

    Args:
        least: what they have to reach.
        settings: an object of a config, whose keys its attributes are.
        names: of the attributes.
        within: the key of the config under which the object stands.
    """
    for name in names:
        if getattr(settings, name) < least:
            raise UserError(f"is less than {least}", source=f"{within}.{name}")


class Interrupted(KeyboardInterrupt):
    """Stopped on request with nothing lost; the message says how to go on.

    A `KeyboardInterrupt`, so no `except Exception` on the way swallows it. The command line prints it as one
    line and exits with code 130.
    """


class AlreadyReported(SystemExit):
    """Another process of the run failed and has said why; `code` is its exit code."""
