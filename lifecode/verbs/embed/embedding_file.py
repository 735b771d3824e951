"""The .npz file of `lifecode embed`, written whole or not at all; the vectors never have to fit in memory."""

import os
import tempfile
from array import array
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from itertools import pairwise
from pathlib import Path
from types import TracebackType

import numpy as np
from numpy.typing import NDArray

from lifecode.errors import UserError
from lifecode.host.durable import disk_faults_named, require_writable
from lifecode.verbs.embed.embed_units import Unit

ROWS_A_COPY = 65_536
LONGEST_PADDED = 256
"""Letters up to which names are kept as an array of text, which gives every one the room of the longest."""
ROOM = "Make room there, or choose another output"


def check_output(output: Path) -> None:
    """Raises a UserError unless the file can be written there."""
    if output.suffix != ".npz":
        raise UserError("the output is an .npz file", source=output, remedy=f"Write output={output}.npz")
    if output.is_dir():
        raise UserError("is a folder, not a file", source=output, remedy="Choose another output")
    try:
        require_writable(output.parent)
    except OSError as fault:
        raise UserError(
            f"cannot write into this folder ({fault.strerror or fault})",
            source=output.parent,
            remedy="Choose another output",
        ) from fault


class EmbeddingFile:
    """Collects vectors beside the output file and moves all of it into place at the end.

    The file holds `ids`, `contig`, `start`, `end`, `strand` (n,), as `Unit` describes them, and
    `embeddings` (n, d); with several vectors per unit, `embeddings` (rows, d) and `offsets` (n + 1,).

    Where an id has more than 256 letters, `ids` is the UTF-8 (uint8) of all one behind the other, and
    `ids_offsets` (n + 1,) says where each begins. Where the name of a contig has, `contig` is that of the
    different names with `contig_offsets`, and `contig_number` (n,) says which of them is meant.

    Args:
        output: a path that passes `check_output`.
        width: d.
        pooled: whether each unit has one vector.
    """

    def __init__(self, output: Path, *, width: int, pooled: bool) -> None:
        self.output, self.width, self.pooled = output, width, pooled
        self.num_rows = 0
        self._offsets = array("q", [0])
        self._id_offsets, self._longest_id = array("q", [0]), 0
        self._contig_numbers: dict[str, int] = {}
        self._columns = {name: array("q") for name in ("contig", "start", "end", "strand")}

    def __enter__(self) -> "EmbeddingFile":
        with disk_faults_named(self.output, remedy=ROOM):
            # A name as long as the file system allows must not become too long by what is put beside it.
            self._folder = tempfile.TemporaryDirectory(prefix=".embedding-", dir=self.output.parent)
            self._rows = (Path(self._folder.name) / "rows").open("wb")
            self._ids = (Path(self._folder.name) / "ids").open("wb")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with ExitStack() as last:
            last.callback(self._folder.cleanup)
            if kind is not None:
                for file in (self._rows, self._ids):
                    with suppress(OSError):  # of a full disk, whose error is on its way
                        file.close()
                return
            with disk_faults_named(self.output, remedy=ROOM):
                self._rows.close()
                self._ids.close()
                self._write()

    def __len__(self) -> int:
        return len(self._columns["start"])

    @contextmanager
    def scratch(self, num_rows: int) -> Iterator[NDArray[np.float32]]:
        """Lends a matrix (num_rows, d) that lies in a file, whose room on the disk is taken first.

        Raises:
            UserError: the disk has no room for it. Written into a file with holes, a full disk would be the
                death of the process.
        """
        path = Path(self._folder.name) / "scratch"
        with disk_faults_named(self.output, remedy=ROOM), path.open("wb") as file:
            _take_room(file.fileno(), 4 * num_rows * self.width)
        yield np.memmap(path, dtype=np.float32, mode="r+", shape=(num_rows, self.width))
        path.unlink()

    def add(self, unit: Unit, vectors: NDArray[np.float32]) -> None:
        """Appends a unit and its vector (d,) or vectors (rows, d)."""
        rows, name = vectors.reshape(-1, self.width), unit.id.encode("utf-8", errors="replace")
        with disk_faults_named(self.output, remedy=ROOM):
            for first in range(0, len(rows), ROWS_A_COPY):
                self._rows.write(np.ascontiguousarray(rows[first : first + ROWS_A_COPY], np.float32).data)
            self._ids.write(name)
        self.num_rows += len(rows)
        self._offsets.append(self.num_rows)
        self._id_offsets.append(self._id_offsets[-1] + len(name))
        self._longest_id = max(self._longest_id, len(unit.id))
        number = self._contig_numbers.setdefault(unit.contig, len(self._contig_numbers))
        for column, value in zip(
            self._columns.values(), (number, unit.start, unit.end, unit.strand), strict=True
        ):
            column.append(value)

    def _names(self) -> dict[str, NDArray]:
        """The arrays that hold ids and names of contigs."""
        arrays: dict[str, NDArray] = {}
        ids = Path(self._ids.name)
        if self._longest_id > LONGEST_PADDED:
            arrays["ids"] = np.memmap(ids, dtype=np.uint8, mode="r")
            arrays["ids_offsets"] = np.array(self._id_offsets)
        else:
            text, ends = ids.read_bytes(), self._id_offsets
            arrays["ids"] = np.array([text[a:b].decode() for a, b in pairwise(ends)], dtype=np.str_)
        names, numbers = list(self._contig_numbers), np.array(self._columns["contig"])
        if max(map(len, names)) > LONGEST_PADDED:
            encoded = [name.encode("utf-8", errors="replace") for name in names]
            arrays["contig"] = np.frombuffer(b"".join(encoded), dtype=np.uint8)
            arrays["contig_offsets"] = np.cumsum([0, *map(len, encoded)])
            arrays["contig_number"] = numbers
        else:
            arrays["contig"] = np.array(names)[numbers]
        return arrays

    def _write(self) -> None:
        shape = (self.num_rows, self.width)
        arrays = self._names()
        for name in ("start", "end", "strand"):
            arrays[name] = np.array(self._columns[name])
        if not self.pooled:
            arrays["offsets"] = np.array(self._offsets)
        embeddings = np.memmap(self._rows.name, dtype=np.float32, mode="r", shape=shape)
        partial = Path(self._folder.name) / "partial.npz"
        np.savez(partial, allow_pickle=False, embeddings=embeddings, **arrays)
        partial.replace(self.output)


def _take_room(descriptor: int, num_bytes: int) -> None:
    """Has the file system set so many bytes aside, or writes them where it has no call for it."""
    if hasattr(os, "posix_fallocate"):
        os.posix_fallocate(descriptor, 0, num_bytes)
        return
    zeros = bytes(2**20)
    for first in range(0, num_bytes, len(zeros)):
        os.write(descriptor, zeros[: num_bytes - first])
