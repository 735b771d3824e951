"""The header of a separated file: where it stands, what it is divided by, and names that it lacks."""

import re
from typing import NamedTuple

QUOTED = re.compile(rb'"(?:[^"]|"")*"')
_SEPARATORS = (b"\t", b",", b";")
_EXCEL_SEPARATOR = re.compile(rb"\A\s*sep=(.)[,;\t]*\n", re.IGNORECASE)
_HASH_HEADER = re.compile(rb"#[^\s#]")


class Header(NamedTuple):
    """The first line of a table as it is read.

    Attributes:
        line: names between separators, without a line end.
        separator: one byte.
    """

    line: bytes
    separator: bytes


def header_of(start: bytes) -> tuple[Header, int]:
    """The header that a file begins with, and the number of bytes up to the first row.

    Blank lines above it, comments (`#`) and Excel's `sep=;` are passed over. A line `#id,sequence` right
    above rows of as many values is a header. Where the rows have one value more than there are names, it is
    of R's row names if all is in quotes, and of an empty last column if they end with a separator.

    Args:
        start: of a file: the header and the first rows.
    """
    said = _EXCEL_SEPARATOR.match(start)
    end = said.end() if said else 0
    line, hashed = b"", b""
    while end < len(start):
        line, _, _ = start[end:].partition(b"\n")
        if line.strip() and not line.startswith(b"#"):
            break
        hashed, end = line, min(len(start), end + len(line) + 1)
    if _are_names(hashed, line):
        line = hashed.removeprefix(b"#")
    else:
        end = min(len(start), end + len(line) + 1)
    rows = _first_rows(start[end:])
    separator = said[1] if said else separator_of(line, rows[0] if rows else b"")
    names = QUOTED.sub(b"", line).count(separator)
    if rows and all(QUOTED.sub(b"", row).count(separator) == names + 1 for row in rows):
        if all(row.endswith(separator) for row in rows):
            line += separator
        elif all(row.startswith(b'"') for row in [line, *rows]):
            line = separator + line
    return Header(line, separator), end


def _are_names(hashed: bytes, row: bytes) -> bool:
    """Whether a line `#id,sequence` without blanks has as many values, two or more, as the row below it."""
    separator = max(_SEPARATORS, key=hashed.count)
    num = hashed.count(separator)
    return bool(_HASH_HEADER.match(hashed)) and b" " not in hashed and 0 < num == row.count(separator)


def _first_rows(start: bytes) -> list[bytes]:
    """Up to 20 rows, without those whose values in quotes go over the end of a line."""
    lines = (line.strip(b" ") for line in start.split(b"\n", 21)[:20])
    return [line for line in lines if line and line.count(b'"') % 2 == 0]


def separator_of(line: bytes, row: bytes) -> bytes:
    """The most frequent in the header; a blank where there is no other, and the first row has as many."""
    line, row = QUOTED.sub(b"", line), QUOTED.sub(b"", row)
    if not any(map(line.count, _SEPARATORS)) and 0 < line.count(b" ") in (
        row.count(b" "),
        row.count(b" ") - 1,
    ):
        return b" "
    return max(_SEPARATORS, key=line.count)
