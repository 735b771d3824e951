"""Vectors on their way into a file: kept on disk as they come, so that a command that was killed goes on.

A unit counts once its place is in `units`, which is written after its vectors and names: whatever a kill left
behind the last such unit is cut off. The vectors never have to fit in memory.
"""

import json
import os
import shutil
from array import array
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from hashlib import sha256
from itertools import pairwise
from pathlib import Path
from types import TracebackType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lifecode.host.durable import disk_faults_named, new_file
from lifecode.host.exclusive import exclusive
from lifecode.host.small_file import read_small_text
from lifecode.verbs.embed.embed_units import Unit

_ROWS_A_COPY = 65_536
ROOM = "Make room there, or choose another output"
TEXTS = ("id", "gene", "gene_id")
"""What a unit is called; the UTF-8 of all units lies one behind the other in a file each."""
_FIELDS = ("contig", "start", "end", "strand", *(f"{text}_end" for text in TEXTS), "rows_end")
_CONTENT = ("rows", "contigs", *TEXTS)
_ITEM = 8 * len(_FIELDS)
_LONGEST_NAME = 200
"""Bytes of a file's name, so that what is put beside it has room for more."""


class EmbeddingStore:
    """Units with their vectors, in a folder beside the output; with the block it ends, one way or another.

    A block that ends well, or at a fault of the disk, leaves nothing; one that is interrupted leaves what
    the next store of the same identity begins with.

    Args:
        output: the file that is to be.
        width: d.
        identity: what must be equal for what is there to count: settings, model, input.
    """

    def __init__(self, output: Path, *, width: int, identity: dict[str, Any]) -> None:
        self.output, self.width = output, width
        self.folder = output.with_name(f"{_short(output.name)}.unfinished")
        self._identity = json.dumps(identity, sort_keys=True)
        self._last = ExitStack()
        self._places = array("q")
        self._contig_numbers: dict[str, int] = {}
        self.num_kept = 0
        self.num_rows = 0
        self._ends: dict[str, int] = dict.fromkeys(TEXTS, 0)
        self._failed = False

    def __enter__(self) -> "EmbeddingStore":
        with self._faults_named():
            self.folder.parent.mkdir(parents=True, exist_ok=True)
            lock = self.folder.with_name(f"{self.folder.name}.lock")
            self._last.enter_context(exclusive(lock, "embedding into this file"))
            self._begin()
            self._files = {name: (self.folder / name).open("ab") for name in (*_CONTENT, "units")}
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with self._last:
            for file in self._files.values():
                with suppress(OSError):  # of a full disk, whose error is on its way
                    file.close()
            if kind is None or self._failed or not (self.folder / "units").stat().st_size:
                shutil.rmtree(self.folder, ignore_errors=True)

    def __len__(self) -> int:
        return self.num_kept + len(self._places) // len(_FIELDS)

    def add(self, unit: Unit, vectors: NDArray[np.float32]) -> None:
        """Appends a unit and its vector (d,) or vectors (rows, d)."""
        rows = vectors.reshape(-1, self.width)
        texts = {text: getattr(unit, text).encode("utf-8", errors="replace") for text in TEXTS}
        with self._faults_named():
            for first in range(0, len(rows), _ROWS_A_COPY):
                copied = np.ascontiguousarray(rows[first : first + _ROWS_A_COPY], np.float32)
                self._files["rows"].write(copied.data)
            for text, own in texts.items():
                self._files[text].write(own)
                self._ends[text] += len(own)
            if unit.contig not in self._contig_numbers:
                self._files["contigs"].write(json.dumps(unit.contig).encode() + b"\n")
        number = self._contig_numbers.setdefault(unit.contig, len(self._contig_numbers))
        self.num_rows += len(rows)
        ends = self._ends.values()
        self._places.extend((number, unit.start, unit.end, unit.strand, *ends, self.num_rows))

    def keep(self) -> None:
        """Puts what was added so far where a kill does not reach it."""
        with self._faults_named():
            for name in _CONTENT:
                self._files[name].flush()
            self._files["units"].write(self._places.tobytes())
            self._files["units"].flush()
        self.num_kept, self._places = len(self), array("q")

    @contextmanager
    def scratch(self, num_rows: int) -> Iterator[NDArray[np.float32]]:
        """Lends a matrix (num_rows, d) that lies in a file, whose room on the disk is taken first.

        Raises:
            UserError: the disk has no room for it. Written into a file with holes, a full disk would be the
                death of the process.
        """
        path = self.folder / "scratch"
        with self._faults_named(), path.open("wb") as file:
            _take_room(file.fileno(), 4 * num_rows * self.width)
        yield np.memmap(path, dtype=np.float32, mode="r+", shape=(num_rows, self.width))
        path.unlink()

    @contextmanager
    def result(self) -> Iterator[Path]:
        """A file to write, which becomes the output at the end of the block."""
        self.keep()
        partial = self.folder / "output"
        with self._faults_named():
            new_file(partial).close()
            yield partial
            partial.replace(self.output)

    @property
    def places(self) -> dict[str, NDArray[np.int64]]:
        """`contig` (a number), `start`, `end`, `strand`, and where texts and rows end, of each unit kept."""
        columns = np.fromfile(self.folder / "units", np.int64).reshape(-1, len(_FIELDS))
        return dict(zip(_FIELDS, columns.T, strict=True))

    @property
    def rows(self) -> NDArray[np.float32]:
        """(num_rows, d), a view of the file."""
        return np.memmap(self.folder / "rows", dtype=np.float32, mode="r", shape=(self.num_rows, self.width))

    def bytes_of(self, text: str) -> NDArray[np.uint8]:
        """The UTF-8 of what all units are called, one behind the other, a view of the file."""
        path = self.folder / text
        return np.memmap(path, np.uint8, "r") if _size(path) else np.empty(0, np.uint8)

    @property
    def contigs(self) -> list[str]:
        """The different names of contigs, by their numbers."""
        return list(self._contig_numbers)

    def texts(self, text: str, first: int = 0, last: int | None = None) -> list[str]:
        """What some units are called."""
        ends = np.concatenate([[0], self.places[f"{text}_end"]])[first : None if last is None else last + 1]
        found = self.bytes_of(text)[ends[0] : ends[-1]].tobytes()
        return [found[a:b].decode() for a, b in pairwise((ends - ends[0]).tolist())]

    def _begin(self) -> None:
        """Makes the folder, or cuts what is there back to its last whole unit."""
        known = self.folder / "identity"
        if self.folder.is_dir() and not self._is_ours(known):
            shutil.rmtree(self.folder)
        if not self.folder.is_dir():
            self.folder.mkdir()
            known.write_text(self._identity, encoding="utf-8")
            return
        for left in ("scratch", "output"):
            (self.folder / left).unlink(missing_ok=True)
        size = {name: _size(self.folder / name) for name in (*_CONTENT, "units")}
        os.truncate(_made(self.folder / "units"), size["units"] // _ITEM * _ITEM)
        places = self.places
        lines = _made(self.folder / "contigs").read_bytes().splitlines(keepends=True)
        whole = places["rows_end"] * 4 * self.width <= size["rows"]
        whole &= places["contig"] < len(lines)
        for text in TEXTS:
            whole &= places[f"{text}_end"] <= size[text]
        self.num_kept = len(whole) if whole.all() else int(whole.argmin())
        kept = {name: column[: self.num_kept] for name, column in places.items()}
        self.num_rows = int(kept["rows_end"].max(initial=0))
        self._ends = {text: int(kept[f"{text}_end"].max(initial=0)) for text in TEXTS}
        names = [json.loads(line) for line in lines[: int(kept["contig"].max(initial=-1)) + 1]]
        self._contig_numbers = {name: number for number, name in enumerate(names)}
        os.truncate(self.folder / "units", self.num_kept * _ITEM)
        os.truncate(_made(self.folder / "rows"), 4 * self.width * self.num_rows)
        for text, end in self._ends.items():
            os.truncate(_made(self.folder / text), end)
        os.truncate(self.folder / "contigs", sum(map(len, lines[: len(names)])))

    def _is_ours(self, identity: Path) -> bool:
        with suppress(OSError, ValueError):
            return read_small_text(identity) == self._identity
        return False

    @contextmanager
    def _faults_named(self) -> Iterator[None]:
        try:
            with disk_faults_named(self.output, remedy=ROOM):
                yield
        except Exception:
            self._failed = True
            raise


def _short(name: str) -> str:
    encoded = name.encode(errors="surrogateescape")
    return name if len(encoded) <= _LONGEST_NAME else f"embedding-{sha256(encoded).hexdigest()[:16]}"


def _made(path: Path) -> Path:
    """The file, empty where it is not there."""
    path.touch()
    return path


def _size(path: Path) -> int:
    return path.stat().st_size if path.exists() else 0


def _take_room(descriptor: int, num_bytes: int) -> None:
    """Has the file system set so many bytes aside, or writes them where it has no call for it."""
    if hasattr(os, "posix_fallocate"):
        os.posix_fallocate(descriptor, 0, num_bytes)
        return
    zeros = bytes(2**20)
    for first in range(0, num_bytes, len(zeros)):
        os.write(descriptor, zeros[: num_bytes - first])
