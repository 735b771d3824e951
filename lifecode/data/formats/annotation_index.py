"""The lines of an annotation file, by the sequence they are about, without holding them.

The lines that matter are copied to a temporary file without a name; in memory stand the name of each
sequence and where its lines begin and end: some 200 bytes a sequence, and 16 more for each time that the
file comes back to it. So a file that is sorted or not, compressed or not, reads the same way.
"""

from array import array
from collections.abc import Iterator
from tempfile import TemporaryFile
from types import TracebackType
from typing import Self


class AnnotationIndex:
    """Lines by key, each key to be taken once; a context manager that removes the temporary file."""

    def __init__(self) -> None:
        self._lines = TemporaryFile()  # noqa: SIM115
        self._runs: dict[str, array[int]] = {}
        self._last_key: str | None = None
        self._end = 0
        self.num_taken = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, fault: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._lines.close()

    def __contains__(self, key: str) -> bool:
        return key in self._runs

    def add(self, key: str, line: bytes) -> None:
        """Keep a line; one without a line end gets one."""
        line = line if line.endswith(b"\n") else line + b"\n"
        self._lines.write(line)
        runs = self._runs.setdefault(key, array("q"))
        if key != self._last_key:
            runs.extend((self._end, self._end))
        self._end += len(line)
        runs[-1] = self._end
        self._last_key = key

    def take(self, key: str) -> list[bytes]:
        """The lines of a key in file order, which is then forgotten; none where there is no such key."""
        runs = self._runs.pop(key, None)
        if runs is None:
            return []
        self.num_taken += 1
        return list(self._read(runs))

    def left(self) -> Iterator[tuple[str, list[bytes]]]:
        """Every key that nobody has taken, with its lines."""
        for key, runs in self._runs.items():
            yield key, list(self._read(runs))

    def _read(self, runs: "array[int]") -> Iterator[bytes]:
        for start, end in zip(runs[::2], runs[1::2], strict=True):
            self._lines.seek(start)
            yield from self._lines.read(end - start).removesuffix(b"\n").split(b"\n")
