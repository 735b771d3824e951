"""The .npz file of `lifecode embed`, written whole or not at all; the vectors never have to fit in memory."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType

import numpy as np
from numpy.typing import NDArray

from lifecode.commands.embed_units import Unit
from lifecode.data.durable import require_writable
from lifecode.errors import UserError

ROWS_A_COPY = 65_536


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
    `embeddings` (n, d); with several vectors a unit, `embeddings` (rows, d) and `offsets` (n + 1,).

    Args:
        output: a path that passes `check_output`.
        width: d.
        pooled: whether each unit has one vector.
    """

    def __init__(self, output: Path, *, width: int, pooled: bool) -> None:
        self.output, self.width, self.pooled = output, width, pooled
        self.num_rows = 0
        self._units: list[Unit] = []
        self._offsets = [0]

    def __enter__(self) -> "EmbeddingFile":
        self._folder = tempfile.TemporaryDirectory(prefix=f".{self.output.stem}-", dir=self.output.parent)
        self._rows = (Path(self._folder.name) / "rows").open("wb")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._rows.close()
        try:
            if kind is None:
                self._write()
        finally:
            self._folder.cleanup()

    def __len__(self) -> int:
        return len(self._units)

    @contextmanager
    def scratch(self, num_rows: int) -> Iterator[NDArray[np.float32]]:
        """Lends a matrix (num_rows, d) that lies in a file."""
        path = Path(self._folder.name) / "scratch"
        yield np.memmap(path, dtype=np.float32, mode="w+", shape=(num_rows, self.width))
        path.unlink()

    def add(self, unit: Unit, vectors: NDArray[np.float32]) -> None:
        """Appends a unit and its vector (d,) or vectors (rows, d)."""
        rows = vectors.reshape(-1, self.width)
        for first in range(0, len(rows), ROWS_A_COPY):
            self._rows.write(np.ascontiguousarray(rows[first : first + ROWS_A_COPY], dtype=np.float32).data)
        self.num_rows += len(rows)
        self._offsets.append(self.num_rows)
        self._units.append(unit._replace(nucleotides=unit.nucleotides[:0]))

    def _write(self) -> None:
        shape = (self.num_rows, self.width)
        arrays = {"ids": np.array([unit.id for unit in self._units])}
        arrays["contig"] = np.array([unit.contig for unit in self._units])
        for name in ("start", "end", "strand"):
            arrays[name] = np.array([getattr(unit, name) for unit in self._units], dtype=np.int64)
        if not self.pooled:
            arrays["offsets"] = np.array(self._offsets)
        embeddings = np.memmap(self._rows.name, dtype=np.float32, mode="r", shape=shape)
        partial = Path(self._folder.name) / "partial.npz"
        np.savez(partial, allow_pickle=False, embeddings=embeddings, **arrays)
        partial.replace(self.output)
