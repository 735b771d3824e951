"""Small text files that may come from a stranger: a plain file of no more than so many bytes, or an error.

A folder that was unpacked from an archive may hold a pipe, which never ends, a link to a device, or a file
of gigabytes, where a few kilobytes of text belong.
"""

import os
import stat
from pathlib import Path


def read_small_text(path: Path, most_bytes: int = 1 << 26) -> str:
    """The text of a file.

    Raises:
        OSError: it is not there, no plain file, or cannot be read.
        ValueError: it is larger than `most_bytes`, or no UTF-8.
    """
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
    with os.fdopen(descriptor, "rb") as file:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise OSError("no plain file")
        data = file.read(most_bytes + 1)
    if len(data) > most_bytes:
        raise ValueError(f"larger than {most_bytes:,} bytes")
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError as fault:
        raise ValueError("no text in UTF-8") from fault
