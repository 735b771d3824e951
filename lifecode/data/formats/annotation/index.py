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
    """Lines by key, each key to be taken once; a context manager that removes the temporary file.

    Where files were joined, a key may come in several sections, each of which can be taken alone.

    Attributes:
        taken: the keys of which lines were taken.
    """

    def __init__(self) -> None:
        self._lines = TemporaryFile()  # noqa: SIM115
        self._runs: dict[str, array[int]] = {}
        self._sections: dict[str, dict[int, array[int]]] = {}
        self._last: tuple[str, int] | None = None
        self._end = 0
        self.taken: set[str] = set()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, fault: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._lines.close()

    def __contains__(self, key: str) -> bool:
        return key in self._runs or key in self._sections

    def __bool__(self) -> bool:
        return bool(self._runs or self._sections)

    def add(self, key: str, line: bytes, section: int = 0) -> None:
        """Keep a line; one without a line end gets one."""
        line = line if line.endswith(b"\n") else line + b"\n"
        self._lines.write(line)
        if section:
            runs = self._sections.setdefault(key, {}).setdefault(section, array("q"))
        else:
            runs = self._runs.setdefault(key, array("q"))
        if self._last != (key, section):
            runs.extend((self._end, self._end))
            self._last = key, section
        self._end += len(line)
        runs[-1] = self._end

    def take(self, key: str, section: int | None = None) -> list[bytes]:
        """The lines of a key in file order, which is then forgotten; none where there is no such key.

        Args:
            key: the name of a sequence.
            section: the only one that is wanted; None: all of them.
        """
        lines = list(self._read(self._runs.pop(key, ()))) if not section else []
        if key in self._sections:
            later = self._sections[key]
            for number in [*later] if section is None else [section]:
                lines += self._read(later.pop(number, ()))
            if not later:
                del self._sections[key]
        if lines:
            self.taken.add(key)
        return lines

    def left(self) -> Iterator[tuple[str, list[bytes]]]:
        """Every key that nobody has taken, with its lines, those of a section each time."""
        for key, runs in self._runs.items():
            yield key, list(self._read(runs))
        for key, later in self._sections.items():
            for runs in later.values():
                yield key, list(self._read(runs))

    def keys_left(self) -> list[str]:
        """Every key of which lines are left, once."""
        return list({**self._runs, **self._sections})

    def _read(self, runs: "array[int] | tuple[()]") -> Iterator[bytes]:
        for start, end in zip(runs[::2], runs[1::2], strict=True):
            self._lines.seek(start)
            yield from self._lines.read(end - start).removesuffix(b"\n").split(b"\n")
