"""A folder that appears whole or not at all, and never in the place of another."""

import errno
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from lifecode.errors import UserError


def require_absent(output: Path) -> None:
    """Raise a `UserError` where `output` already is something other than an empty folder."""
    if output.exists() and not (output.is_dir() and not any(output.iterdir())):
        raise UserError("is there already", source=output, remedy="Choose another output, or delete this one")


@contextmanager
def new_folder(output: Path) -> Iterator[Path]:
    """A temporary folder beside `output` that becomes it at the end, or vanishes at an error.

    Raises:
        UserError: it cannot be written, or something has come to be there.
    """
    folder = None
    try:
        output.parent.mkdir(parents=True, exist_ok=True)
        folder = Path(tempfile.mkdtemp(dir=output.parent, prefix=f".{output.name}.", suffix=".partial"))
        yield folder
        folder.chmod(0o755)
        folder.rename(output)
    except OSError as fault:
        if fault.errno in (errno.EEXIST, errno.ENOTEMPTY):
            require_absent(output)  # another process was quicker
        remedy = "Choose an output where you may write and which has room"
        problem = f"cannot be written ({fault.strerror or fault})"
        raise UserError(problem, source=output, remedy=remedy) from fault
    finally:
        if folder is not None:
            shutil.rmtree(folder, ignore_errors=True)
