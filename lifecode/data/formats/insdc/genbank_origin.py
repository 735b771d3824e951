"""The numbers at the ORIGIN lines of a GenBank record: each says how many letters stand before its line.

So a line that was lost, repeated or swapped is seen, where the parser would splice what is left together.
Lines of 60 letters are compared as one array, all others one by one.
"""

import numpy as np
from numpy.typing import NDArray

from lifecode.data.formats.flat_lines import find_line

_LINE, _LETTERS, _NUMBER = 76, 60, 9
_BLANKS = range(_NUMBER, _LINE - 1, 11)
"""Where the blanks stand in a whole line, one before each group of ten letters."""
_LINES_AT_ONCE = 1 << 12


def misnumbered_line(text: bytes) -> str | None:
    """What is wrong with the numbers of the ORIGIN lines of one record; None where they count its letters.

    The first number may be any, as in a piece of a longer sequence; lines without a number are counted only.
    """
    head = find_line(text, b"ORIGIN")
    start = text.find(b"\n", head + 1) + 1 if head >= 0 else 0
    if not start:
        return None
    end = find_line(text, b"//", start - 1) + 1 or len(text)
    number = text[start : start + _NUMBER].lstrip(b" ")
    first = int(number) if number.isdigit() else None
    lines = 0 if first is None else _num_whole_lines(np.frombuffer(text, np.uint8)[start:end], first)
    return _first_fault(text[start + lines * _LINE : end], first if lines else None, lines * _LETTERS)


def _num_whole_lines(body: NDArray[np.uint8], first: int) -> int:
    """How many lines, from the first on, are laid out as whole lines and numbered `first` and so on."""
    whole = body[: len(body) // _LINE * _LINE].reshape(-1, _LINE)
    for start in range(0, len(whole), _LINES_AT_ONCE):
        lines = whole[start : start + _LINES_AT_ONCE]
        regular = lines[:, -1] == ord("\n")
        for column in _BLANKS:
            regular &= lines[:, column] == ord(" ")
        regular &= _are_numbered(lines, first + _LETTERS * start)
        if not regular.all():
            return start + int(regular.argmin())
    return len(whole)


def _are_numbered(lines: NDArray[np.uint8], first: int) -> NDArray[np.bool_]:
    """(n,) whether each of n lines begins with its number, the first one's being given, flush right."""
    if first + _LETTERS * len(lines) >= 10**_NUMBER:  # too long for the columns
        return np.zeros(len(lines), dtype=np.bool_)
    left = first + _LETTERS * np.arange(len(lines), dtype=np.uint32)
    numbered = np.ones(len(lines), dtype=np.bool_)
    for column in reversed(range(_NUMBER)):
        tens = left // 10
        digit = (left - 10 * tens + ord("0")).astype(np.uint8)
        if not left[0]:  # the numbers rise, so those of the first lines may be too short for this column
            digit[left == 0] = ord(" ")
        numbered &= lines[:, column] == digit
        left = tens
    return numbered


def _first_fault(body: bytes, first: int | None, letters: int) -> str | None:
    """The same, line by line, from a line on that `letters` letters stand before."""
    for line in body.splitlines():
        words = line.split()
        if words and words[0].isdigit():
            number = int(words.pop(0)[:18])
            first = number - letters if first is None else first
            if number != first + letters:
                return _fault(number, first + letters)
        letters += sum(map(len, words))
    return None


def _fault(found: int, expected: int) -> str:
    return f"the ORIGIN line numbered {found:,} stands where {expected:,} belongs"
