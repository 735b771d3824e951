"""Standard streams that whoever started the program has closed (`>&-`), or stopped reading (`| head`)."""

import os
import stat
import sys


def open_closed_streams() -> None:
    """Opens those that are closed on nothing: else the next file that is opened would be printed into."""
    for number, name in enumerate(("stdin", "stdout", "stderr")):
        if getattr(sys, name) is None:
            descriptor = os.open(os.devnull, os.O_RDWR)
            setattr(sys, name, open(descriptor, "w" if number else "r"))  # noqa: SIM115


def hush_closed_stdout() -> bool:
    """After a broken pipe: if stdout is a pipe its reader has left (`| head`); drop what is buffered."""
    mode = os.fstat(1).st_mode
    if not (stat.S_ISFIFO(mode) or stat.S_ISSOCK(mode)):
        return False
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
    return True
