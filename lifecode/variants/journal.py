"""What a model has said so far, in a file beside the output: a killed command goes on without asking twice.

The first line names the version of the format and what was asked of what; a file of another version or about
anything else is begun anew, which is said. A record that was cut short by the kill is left out.
"""

import logging
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import Literal, Self, TypeAlias, get_args

import numpy as np
from numpy.typing import NDArray

VERSION = 1
"""Of records, and of how the callers cut what they ask into them: grows with either."""
Beside: TypeAlias = Literal["outside", "quantile", "heat_map"]
logger = logging.getLogger(__name__)


class Journal:
    """Numbered arrays (n, width), appended one by one; a context manager.

    Args:
        path: of the file; whoever has all that is in it deletes it.
        about: one line; what is kept was computed of exactly this.
        width: columns of each array.
    """

    def __init__(self, path: Path, about: str, width: int) -> None:
        self.path, self._width = path, width
        self._head = _head(about)
        self._kept = 0
        if is_about(path, about):
            self._kept = sum(len(record) for record in self._records())
        elif path.is_file() and path.stat().st_size:
            logger.warning(
                "%s: is of another version, model, input or settings, so all is done anew",
                path,
            )
        if self._kept:
            with path.open("rb+") as file:
                file.truncate(len(self._head) + self._kept)
        else:
            path.write_bytes(self._head)
        self._file = path.open("ab")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, fault: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._file.close()

    def entries(self) -> Iterator[tuple[int, NDArray[np.float32]]]:
        """What was there at the beginning: numbers and arrays."""
        left = self._kept
        for record in self._records():
            if left <= 0:
                return
            left -= len(record)
            number = int(np.frombuffer(record, np.int64, 1)[0])
            yield number, np.frombuffer(record, np.float32, offset=16).reshape(-1, self._width)

    def add(self, number: int, rows: NDArray[np.float32]) -> None:
        """Keep an array."""
        head = np.array([number, len(rows)], dtype=np.int64).tobytes()
        self._file.write(head + np.ascontiguousarray(rows, dtype=np.float32).tobytes())
        self._file.flush()

    def _records(self) -> Iterator[bytes]:
        with self.path.open("rb") as file:
            file.seek(len(self._head))
            while len(head := file.read(16)) == 16:
                size = int(np.frombuffer(head, np.int64)[1]) * self._width * 4
                if len(body := file.read(size)) < size:
                    return
                yield head + body


def is_about(path: Path, about: str) -> bool:
    """Whether there is a journal of this version about exactly this."""
    if not path.is_file():
        return False
    head = _head(about)
    with path.open("rb") as file:
        return file.read(len(head)) == head


def _head(about: str) -> bytes:
    return f"lifecode journal {VERSION} {about}\n".encode()


def journal_beside(path: Path | None, what: Beside) -> Path | None:
    """The journal beside that of the scores of codons: of what else is read, for what."""
    return None if path is None else path.with_name(f"{path.name}.{what}")


def forget(path: Path) -> None:
    """Delete a journal and those beside it, once the output has all that is in them."""
    for what in get_args(Beside):
        path.with_name(f"{path.name}.{what}").unlink(missing_ok=True)
    path.unlink(missing_ok=True)
