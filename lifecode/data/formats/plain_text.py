"""The bytes of a text file as every reader wants them: UTF-8 without a mark, lines that end with one LF.

Windows writes CR LF, old Macs CR alone, joined files both; editors put a byte order mark in front, which
joined files have inside too, some write UTF-16. Form feeds (pages) and the Ctrl-Z at the end of a DOS file
go.
A file that has none of it passes as it is.
"""

import codecs
from io import RawIOBase
from pathlib import Path
from typing import BinaryIO

from lifecode.errors import UserError

_BLOCK_BYTES = 1 << 16
_NO_TEXT = b"\f\x1a"
_REMEDY = "Save it as UTF-8"


class PlainText(RawIOBase):
    """A stream of these bytes.

    Args:
        raw: the file, uncompressed.
        file: its name, for messages.
    """

    def __init__(self, raw: BinaryIO, file: Path) -> None:
        self._raw, self._file = raw, file
        self._decoder: codecs.IncrementalDecoder | None = None
        self._ended = False
        self._begun = False
        self._held = self._ready = b""

    def readable(self) -> bool:  # noqa: D102
        return True

    def readinto(self, buffer: memoryview) -> int:  # pyright: ignore[reportIncompatibleMethodOverride]
        """Fill the buffer; 0 at the end."""
        while not self._ready and not self._ended:
            self._ready = self._next()
        block, self._ready = self._ready[: len(buffer)], self._ready[len(buffer) :]
        buffer[: len(block)] = block
        return len(block)

    def _next(self) -> bytes:
        block = self._raw.read(_BLOCK_BYTES)
        self._ended = not block
        if not self._begun:
            self._begun = True
            block = self._without_mark(block)
        if self._decoder is not None:
            block = self._decoded(block)
        if self._held:
            block, self._held = self._held + block, b""
        if b"\r" in block:
            block = self._with_line_feeds(block)
        if b"\xef" in block:
            block = self._without_marks(block)
        if b"\f" in block or b"\x1a" in block:
            block = block.translate(None, _NO_TEXT)
        return block

    def _without_mark(self, block: bytes) -> bytes:
        """The first block without its byte order mark, once its encoding is known."""
        encoding = _encoding_of(block)
        if encoding == "utf-8":
            block = block[len(codecs.BOM_UTF8) :]
        elif encoding is not None:
            self._decoder = codecs.getincrementaldecoder(encoding)()
        return block

    def _without_marks(self, block: bytes) -> bytes:
        """The block without marks of files that were joined; one that is cut here waits for its rest."""
        block = block.replace(codecs.BOM_UTF8, b"")
        if not self._ended and (begun := next((n for n in (2, 1) if block.endswith(codecs.BOM_UTF8[:n])), 0)):
            block, self._held = block[:-begun], block[-begun:] + self._held
        return block

    def _decoded(self, block: bytes) -> bytes:
        assert self._decoder is not None
        try:
            return self._decoder.decode(block, final=self._ended).encode("utf-8")
        except UnicodeError as fault:
            raise UserError(
                f"begins like UTF-16 or UTF-32 and is none ({fault})", source=self._file, remedy=_REMEDY
            ) from fault

    def _with_line_feeds(self, block: bytes) -> bytes:
        if block.endswith(b"\r") and not self._ended:
            held = 2 if block.endswith(b"\r\r") else 1
            block, self._held = block[:-held], block[-held:]
        return block.replace(b"\r\r\n", b"\n").replace(b"\r\n", b"\n").replace(b"\r", b"\n")


def _encoding_of(start: bytes) -> str | None:
    """The encoding that a file begins in, where it is not plain UTF-8 or Latin-1."""
    if start.startswith(codecs.BOM_UTF8):
        return "utf-8"
    if start.startswith((codecs.BOM_UTF32_LE, codecs.BOM_UTF32_BE)):
        return "utf-32"
    if start.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return "utf-16"
    letters, zeros = start[:64:2], start[1:64:2]
    if len(start) >= 8 and start[0] and not any(zeros) and all(letters):
        return "utf-16-le"
    if len(start) >= 8 and not any(letters) and all(zeros):
        return "utf-16-be"
    return None
