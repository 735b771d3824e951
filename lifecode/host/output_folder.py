"""The folder that a command writes: in no other's place, whole or not at all, its faults in one line."""

import errno
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from lifecode.errors import UserError
from lifecode.host.durable import new_folder


def require_absent(output: Path) -> None:
    """Raise a `UserError` where `output` already is something other than an empty folder."""
    if output.exists() and not (output.is_dir() and not any(output.iterdir())):
        raise UserError("is there already", source=output, remedy="Choose another output, or delete this one")


@contextmanager
def output_folder(output: Path) -> Iterator[Path]:
    """A folder that becomes `output` once the block has ended, or vanishes at a failure.

    Raises:
        UserError: it cannot be written, or something has come to be there.
    """
    try:
        with new_folder(output) as folder:
            yield folder
    except OSError as fault:
        if fault.errno in (errno.EEXIST, errno.ENOTEMPTY):
            require_absent(output)  # another process was quicker
        remedy = "Choose an output where you may write and which has room"
        problem = f"cannot be written ({fault.strerror or fault})"
        raise UserError(problem, source=output, remedy=remedy) from fault
