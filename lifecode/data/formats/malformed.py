"""What happens at a malformed record or file: the run stops there, or leaves it out and says so.

Readers hand every fault to one function and go on to the next record if it returns. A disk that cannot be
read is no malformed file: that always stops the run.
"""

import warnings
from collections.abc import Callable
from typing import Literal, TypeAlias

from lifecode.errors import UserError

OnMalformed: TypeAlias = Literal["stop", "skip"]

Report: TypeAlias = Callable[[str, str, str], None]
"""Takes note of what was left out: file, record (empty where it is the file), problem."""

Settle: TypeAlias = Callable[[UserError], None]
"""Raises the fault of a record, or notes it and returns."""


def warn_of_skipped(source: str, record: str, problem: str) -> None:
    """The report for those who give none: a Python warning per record."""
    warnings.warn(str(UserError(problem, source=source, record=record or None)), stacklevel=2)


def settle_by(on_malformed: OnMalformed, report: Report) -> Settle:
    """The function that readers call at a fault: it raises (`stop`), or reports and returns (`skip`)."""

    def stop(fault: UserError) -> None:
        raise fault

    def skip(fault: UserError) -> None:
        record = "" if fault.record is None else str(fault.record)
        report(str(fault.source), record, fault.problem)

    return stop if on_malformed == "stop" else skip
