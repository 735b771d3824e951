"""A stream of bytes cut into records, each beginning at a line with a given mark.

Cut before the next record rather than after the end of this one, so that reading finds its feet again
behind a record that is damaged. One record is held at a time, whatever the length of its lines.
"""

from collections.abc import Iterator
from typing import BinaryIO

from lifecode.data.formats.flat_lines import find_line

_BLOCK_BYTES = 1 << 20


def split_before(handle: BinaryIO, mark: bytes) -> Iterator[bytes]:
    """Yield each stretch from one line that begins with the mark to the next; none is blank.

    The text before the first mark, where it is not blank, is the first stretch.
    """
    boundary = b"\n" + mark
    held: list[bytes] = []
    while block := handle.read(_BLOCK_BYTES):
        block += handle.readline()  # so that no mark lies across two blocks
        if not block.startswith(mark) and find_line(block, mark) < 0:
            held.append(block)
            continue
        first, *others = (b"\n" + block).split(boundary)
        held.append(first[1:])
        for piece in others:
            yield from _unless_blank(held)
            held = [mark, piece, b"\n"]
        held.pop()  # the last one goes on, or has its line end
    yield from _unless_blank(held)


def names_of_headers(block: bytes) -> list[str]:
    """The first word of every FASTA header that has one, in a block of whole lines."""
    if b">" not in block:
        return []
    headers = (piece[: piece.find(b"\n")] for piece in (b"\n" + block + b"\n").split(b"\n>")[1:])
    words = (header.replace(b"\x01", b" ").split(maxsplit=1) for header in headers)
    return [found[0].decode("utf-8", errors="replace") for found in words if found]


def record_names(handle: BinaryIO) -> Iterator[str]:
    """The names of the records of a FASTA file."""
    while block := handle.read(_BLOCK_BYTES):
        yield from names_of_headers(block + handle.readline())


def _unless_blank(held: list[bytes]) -> Iterator[bytes]:
    record = b"".join(held)
    if record and not record.isspace():
        yield record
