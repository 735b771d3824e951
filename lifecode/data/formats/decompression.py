"""Compressed files other than gzip as streams of bytes, seen by their content: bzip2, xz and Zstandard."""

import bz2
import lzma
from collections.abc import Callable
from io import RawIOBase
from pathlib import Path
from typing import Any, BinaryIO, cast

import pyarrow as pa

from lifecode.errors import UserError


def _zstandard(compressed: BinaryIO) -> Any:
    return pa.CompressedInputStream(pa.PythonFile(compressed, mode="r"), "zstd")


_READERS: dict[bytes, tuple[str, Callable[[BinaryIO], Any]]] = {
    b"BZh": ("bzip2", bz2.BZ2File),
    b"\xfd7zXZ\x00": ("xz", lzma.LZMAFile),
    b"\x5d\x00\x00": ("xz", lzma.LZMAFile),  # of the older kind, .lzma
    b"\x28\xb5\x2f\xfd": ("Zstandard", _zstandard),
    **{b"%c\x2a\x4d\x18" % kind: ("Zstandard", _zstandard) for kind in range(0x50, 0x60)},  # skippable
}
LONGEST_MAGIC = max(map(len, _READERS))
"""How many bytes `decompressed` wants to see."""


def decompressed(compressed: BinaryIO, start: bytes, file: Path) -> RawIOBase | None:
    """The content of a compressed file, or None where its first bytes are those of none of these formats.

    Its faults, while reading, are a `UserError` that names the file.
    """
    for magic, (name, reader) in _READERS.items():
        if start.startswith(magic):
            return _Decompressed(reader(compressed), name, file)
    return None


class _Decompressed(RawIOBase):
    def __init__(self, content: Any, name: str, file: Path) -> None:
        self._content, self._name, self._file = content, name, file

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview) -> int:  # pyright: ignore[reportIncompatibleMethodOverride]
        """Fill the buffer; 0 at the end."""
        try:
            block = cast(bytes, self._content.read(len(buffer)))
        except (EOFError, OSError, ValueError, lzma.LZMAError) as fault:
            early = isinstance(fault, EOFError) or "truncated" in str(fault).lower()
            problem = "ends early" if early else f"is damaged ({fault})"
            raise UserError(
                f"the {self._name} file {problem}",
                source=self._file,
                remedy="Check that the download is complete",
            ) from fault
        buffer[: len(block)] = block
        return len(block)
