"""The numbers at the ORIGIN lines of a GenBank record: each says how many letters stand before its line.

So a line that was lost, repeated or swapped is seen, where the parser would splice what is left together.
Lines of 60 letters are compared as one array, all others one by one.
"""

import numpy as np
from numpy.typing import NDArray

_LINE, _LETTERS, _NUMBER = 76, 60, 9
_BLANKS = slice(_NUMBER, _LINE - 1, 11)
"""Where the blanks stand in a whole line, one before each group of ten letters."""
_POWERS = 10 ** np.arange(_NUMBER - 1, -1, -1, dtype=np.int64)
_LINES_AT_ONCE = 1 << 14


def misnumbered_line(text: bytes) -> str | None:
    """What is wrong with the numbers of the ORIGIN lines of one record; None where they count its letters.

    The first number may be any, as in a piece of a longer sequence; lines without a number are counted only.
    """
    head = text.find(b"\nORIGIN")
    start = text.find(b"\n", head + 1) + 1 if head >= 0 else 0
    if not start:
        return None
    end = text.find(b"\n//", start - 1) + 1 or len(text)
    body = np.frombuffer(text, np.uint8)[start:end]
    first, lines = None, 0
    while (lines + 1) * _LINE <= len(body):
        block = body[lines * _LINE : (lines + _LINES_AT_ONCE) * _LINE]
        numbers = _numbers_of_whole_lines(block[: len(block) // _LINE * _LINE].reshape(-1, _LINE))
        if not len(numbers):
            break
        first = int(numbers[0]) if first is None else first
        expected = first + _LETTERS * np.arange(lines, lines + len(numbers))
        wrong = np.flatnonzero(numbers != expected)
        if len(wrong):
            return _fault(int(numbers[wrong[0]]), int(expected[wrong[0]]))
        lines += len(numbers)
    return _first_fault(text[start + lines * _LINE : end], first, lines * _LETTERS)


def _numbers_of_whole_lines(lines: NDArray[np.uint8]) -> NDArray[np.int64]:
    """(n,) numbers of the first n lines, all those before one that is not laid out as a whole line."""
    digits = lines[:, :_NUMBER] - ord("0")
    is_digit = digits < 10
    regular = lines[:, -1] == ord("\n")
    regular &= (lines[:, _BLANKS] == ord(" ")).all(axis=1)
    regular &= (is_digit | (lines[:, :_NUMBER] == ord(" "))).all(axis=1)
    regular &= is_digit[:, -1] & (is_digit[:, :-1] <= is_digit[:, 1:]).all(axis=1)
    number = len(regular) if regular.all() else int(regular.argmin())
    return np.where(is_digit[:number], digits[:number], 0) @ _POWERS


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
