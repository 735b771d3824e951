"""Files and folders that are there whole or not at all, also after a kill, a full disk or a power cut.

What is written goes to a hidden name beside the file, is forced to the disk and then renamed. The price is a
second copy's room for as long as that takes.
"""

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO
from uuid import uuid4

from lifecode.errors import UserError

PARTIAL = ".partial"
"""What a file's hidden name ends with while it is being written."""
ROOM = "Make room there; what was there before is whole, and the same command goes on from it"


@contextmanager
def replacing(path: Path, *, unique: bool = False, forced: bool = True) -> Iterator[BinaryIO]:
    """A binary file that takes the place of `path` once the block has ended and its bytes are on the disk.

    After a failure in the block, and at a failure of the disk, `path` is as it was and nothing else is left.
    With `unique` several processes may write the same path at once; the last of them stays. Without `forced`
    a power cut may leave an empty file: for what is verified by its checksum, or made again.
    """
    own = f".{uuid4().hex[:8]}" if unique else ""
    partial = path.with_name(f".{path.name}{own}{PARTIAL}")
    try:
        with new_file(partial) as file:
            yield file
            file.flush()
            if forced:
                os.fsync(file.fileno())
        partial.replace(path)
    except BaseException:
        with suppress(OSError):
            partial.unlink(missing_ok=True)
        raise
    if forced:
        _force(path.parent)


@contextmanager
def new_folder(path: Path) -> Iterator[Path]:
    """A folder beside `path` that takes its place once the block has ended, or vanishes at a failure.

    Raises:
        OSError: something has that name by then, or the disk fails.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = Path(tempfile.mkdtemp(dir=path.parent, prefix=f".{path.name}.", suffix=PARTIAL))
    try:
        yield partial
        partial.chmod(0o755)
        partial.rename(path)
    finally:
        shutil.rmtree(partial, ignore_errors=True)


@contextmanager
def appearing_together(output: Path) -> Iterator[Path]:
    """A folder whose files, once the block has ended, move beside `output`, which comes last; or none does.

    What has a hidden name there, such as a lock, does not. After a failure, also one in moving, nothing is
    left of them; a file that one took the place of is gone then. A kill leaves the folder, which the next
    call deletes.

    Raises:
        OSError: the disk fails.
    """
    partial = output.with_name(f".{output.name}.together{PARTIAL}")
    shutil.rmtree(partial, ignore_errors=True)
    partial.mkdir()
    moved: list[Path] = []
    try:
        yield partial
        names = sorted(file.relative_to(partial) for file in partial.rglob("[!.]*") if file.is_file())
        for name in sorted(names, key=lambda name: str(name) == output.name):
            place = output.parent / name
            place.parent.mkdir(exist_ok=True)
            (partial / name).replace(place)
            moved.append(place)
    except BaseException:
        for place in moved:
            with suppress(OSError):
                place.unlink()
        raise
    finally:
        shutil.rmtree(partial, ignore_errors=True)
    _force(output.parent)


def new_file(path: Path) -> BinaryIO:
    """A binary file made new: what had its name, be it a link or another file's second name, is let go."""
    path.unlink(missing_ok=True)
    return path.open("xb")  # which follows no link


def delete_partials(folder: Path, pattern: str) -> None:
    """Deletes what `replacing` left in a folder when it was killed, of files whose name fits the pattern."""
    for partial in folder.glob(f".{pattern}{PARTIAL}"):
        partial.unlink(missing_ok=True)


def require_writable(folder: Path) -> None:
    """Raises the `OSError` that the first write into an existing folder would."""
    os.rmdir(tempfile.mkdtemp(prefix=".lifecode-", dir=folder))


@contextmanager
def disk_faults_named(path: Path | None, *, remedy: str = ROOM) -> Iterator[None]:
    """Says of which file the disk was full, or would not be written, in the block; of None nothing.

    Raises:
        UserError: in place of an `OSError`.
    """
    try:
        yield
    except OSError as fault:
        if path is None:
            raise
        if isinstance(fault, IsADirectoryError):
            remedy = "Move away the folder that has this name; the same command goes on"
        raise UserError(
            f"cannot be written ({fault.strerror or fault})", source=path, remedy=remedy
        ) from fault


def _force(folder: Path) -> None:
    """Forces the names in a folder to the disk, as far as its file system can."""
    with suppress(OSError):
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
