"""Folders that we write into and delete from may have come from a stranger: no link leads out of them.

The folder that a user names may itself be a link, and any folder above it. What lies in it is another's
doing: `metrics.csv` that leads to `~/.bashrc`, a bucket of features that leads to another folder. One look at
the whole folder, before the first write, keeps every later one simple.
"""

import os
import stat
from collections.abc import Iterator, Sequence
from fnmatch import fnmatch
from pathlib import Path

from lifecode.errors import UserError


def require_own(
    folder: Path, *, inside: Path | None = None, only_read: Sequence[str] = (), changed_in_place: bool = False
) -> None:
    """Refuses a folder in which a link leads out of it, or something is neither a file nor a folder.

    Args:
        folder: where we are going to write; it need not exist.
        inside: the folder above it that the user has named, if that is another: nothing on the way down from
            there is a link.
        only_read: patterns of paths inside that may be links, as nothing is written there.
        changed_in_place: files are not made anew, so that none may be another name of one elsewhere.

    Raises:
        UserError: names the first of these.
    """
    top = folder if inside is None else inside
    steps = folder.relative_to(top).parts
    way = [top.joinpath(*steps[:depth]) for depth in range(1, len(steps) + 1)]
    for path in way:
        _require_plain(path, None, changed_in_place)
    for path in _everything_in(folder) if folder.is_dir() else ():
        inner = path.relative_to(folder).as_posix()
        if not any(fnmatch(inner, pattern) for pattern in only_read):
            _require_plain(path, folder, changed_in_place)


def _everything_in(folder: Path) -> Iterator[Path]:
    for path, folders, files in os.walk(folder):
        for name in sorted([*folders, *files]):
            yield Path(path) / name


def _require_plain(path: Path, home: Path | None, changed_in_place: bool) -> None:
    """Refuses a path that is no file or folder, and a link unless it stays at `home`."""
    try:
        found = path.lstat()
    except (FileNotFoundError, NotADirectoryError):  # not there yet, or another process has deleted it
        return
    if stat.S_ISLNK(found.st_mode):
        if home is None or not Path(os.path.realpath(path)).is_relative_to(os.path.realpath(home)):
            raise UserError(
                f"is a link to {os.readlink(path)}, and nothing is written or deleted through a link",
                source=path,
                remedy="Delete the link, or give the folder that it leads to by its own name",
            )
    elif stat.S_ISREG(found.st_mode):
        if changed_in_place and found.st_nlink > 1:
            raise UserError("has another name elsewhere (a hard link)", source=path, remedy="Delete it")
    elif not stat.S_ISDIR(found.st_mode):
        raise UserError("is neither a file nor a folder", source=path, remedy="Delete it")
