"""A line of text that a run depends on, kept in a file with its own checksum.

One wrong digit in such a line would be another line, and send the run another way without a word.
"""

import hashlib
from pathlib import Path

from lifecode.errors import UserError
from lifecode.host.durable import disk_faults_named, replacing
from lifecode.host.small_file import read_small_text

_MOST_BYTES = 1 << 16


def write_recorded(path: Path, line: str) -> None:
    """Writes a line, and its SHA-256 below it, whole or not at all."""
    with disk_faults_named(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        with replacing(path) as file:
            file.write(_with_checksum(line).encode())


def read_recorded(path: Path, *, remedy: str) -> str | None:
    """The line that `write_recorded` wrote; None where there is no such file.

    Raises:
        UserError: the file has changed, with the remedy given.
    """
    try:
        text = read_small_text(path, _MOST_BYTES)
    except FileNotFoundError:
        return None
    except (OSError, ValueError) as fault:
        raise UserError(f"is damaged ({fault})", source=path, remedy=remedy) from fault
    line = text.partition("\n")[0]
    if text != _with_checksum(line):
        raise UserError("is damaged: it differs from its own checksum", source=path, remedy=remedy)
    return line


def _with_checksum(line: str) -> str:
    return f"{line}\n{hashlib.sha256(line.encode()).hexdigest()}\n"
