"""Lines of flat files by how they begin, found in one pass over the bytes, which is faster than a search."""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

_BLOCK_BYTES = 1 << 18
_COLUMN = 22
"""Where qualifiers begin by the standard, counted from 1, and where their values go on."""
_WORD = np.dtype(np.uint64)
_BLANKS = np.frombuffer(b" " * _WORD.itemsize, _WORD)[0]


def find_line(text: bytes, mark: bytes, start: int = 0) -> int:
    """The line end before the first line that begins with a mark: `text.find(b"\\n" + mark, start)`."""
    for begin, block in _blocks(text, start, len(text)):
        begins = block[:-1] == ord("\n")
        begins &= block[1:] == mark[0]
        if begins.any():
            for place in (np.flatnonzero(begins) + begin).tolist():
                if text.startswith(mark, place + 1):
                    return place
    return -1


def lines_out_of_column(text: bytes, end: int) -> NDArray[np.int64]:
    """(num_lines,) line ends before `end` that precede a line without its first letter in column 22.

    Columns 7 to 22 are looked at: so all lines of qualifiers in their place, and all lines on which their
    values go on, are passed over, while every line that begins a feature is there. Of the last 22 bytes of
    the text all line ends are.
    """
    within = max(0, min(end, len(text) - _COLUMN))
    letters = np.frombuffer(text, np.uint8)
    words = np.ndarray(max(0, len(text) - _WORD.itemsize + 1), _WORD, text, strides=(1,))  # at every byte
    found: list[NDArray[np.int64]] = []
    for begin, block in _blocks(text, 0, within):
        ends = np.flatnonzero(block[:-1] == ord("\n")) + begin
        in_place = words[ends + 7] == _BLANKS
        in_place &= words[ends + 14] == _BLANKS
        in_place &= letters[ends + _COLUMN] != ord(" ")
        found.append(ends[~in_place])
    found.append(np.flatnonzero(letters[within:end] == ord("\n")) + within)
    return np.concatenate(found)


def has_blanks_behind(text: bytes, end: int) -> bool:
    """Whether a line before `end` ends with a blank: `text.find(b" \\n", 0, end) >= 0`."""
    return any(
        bool(((block[:-1] == ord(" ")) & (block[1:] == ord("\n"))).any())
        for _, block in _blocks(text, 0, min(end, len(text)) - 1)
    )


def _blocks(text: bytes, start: int, end: int) -> Iterator[tuple[int, NDArray[np.uint8]]]:
    """Blocks of a text with the places where they begin; each has the first byte of the next one too."""
    letters = np.frombuffer(text, np.uint8)
    for begin in range(start, end, _BLOCK_BYTES):
        yield begin, letters[begin : min(begin + _BLOCK_BYTES, end) + 1]
