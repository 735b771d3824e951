"""GenBank text as its writers spell it, brought to the columns of the standard where gb-io would lose it.

Nothing is copied where nothing is to mend.
"""

import re
from itertools import repeat

import numpy as np
from numpy.typing import NDArray

from lifecode.data.formats.flat_lines import find_line, lines_out_of_column
from lifecode.data.formats.insdc.location_text import with_standard_locations

_LOCUS_NAME = re.compile(rb"LOCUS +(\S+)(?: +(\d+))? +(?:bp|aa)\b")
_QUALIFIER_ELSEWHERE = re.compile(rb"\n {6}(?: {16,}+| {0,14}+)/[A-Za-z_]+[=\r\n]")
_BEHIND_A_TAB = re.compile(rb"\n *+\t[ \t]*+/[A-Za-z_]+[=\r\n]")
_FEATURES, _ORIGIN = re.compile(rb"^FEATURES", re.M), re.compile(rb"^(?:ORIGIN|CONTIG|//)", re.M)
_QUALIFIER = re.compile(rb"[ \t]{6,}(/[A-Za-z_]+(?:=.*)?)$")
_COLUMN = b" " * 21


def read_by_standard(text: bytes, *, of_all: bool = False) -> bytes:
    """A record in UTF-8, its qualifiers in column 22, its locations as in `location_text`.

    gb-io does not see qualifiers in other columns (Benchling: 30).

    Args:
        text: of the record.
        of_all: locations of all features, not only of CDS and genes.
    """
    if not text.isascii():
        text = utf8(text)
    end = find_line(text, b"ORIGIN")
    end = len(text) if end < 0 else end
    lines = lines_out_of_column(text, end)
    if _has_qualifiers_elsewhere(text, end, lines):
        return with_standard_locations(_with_qualifiers_in_place(text), "genbank", of_all=of_all)
    return with_standard_locations(text, "genbank", lines.tolist(), of_all=of_all)


def _has_qualifiers_elsewhere(text: bytes, end: int, lines: NDArray[np.int64]) -> bool:
    blank_in_column_6 = np.frombuffer(text, np.uint8).take(lines + 6, mode="clip") == ord(" ")
    begun = map(_QUALIFIER_ELSEWHERE.match, repeat(text), lines[blank_in_column_6].tolist(), repeat(end))
    return any(begun) or (text.find(b"\t", 0, end) >= 0 and bool(_BEHIND_A_TAB.search(text, 0, end)))


def utf8(text: bytes) -> bytes:
    """A record in UTF-8; what is not valid as such is Latin-1, in which notes of old records are written."""
    try:
        text.decode("utf-8")
    except UnicodeDecodeError:
        return text.decode("latin-1").encode("utf-8")
    return text


def locus_name(text: bytes) -> str | None:
    """The name on the LOCUS line, also where it has run into the length, as Prokka writes long ones."""
    found = _LOCUS_NAME.match(text)
    if not found:
        return None
    name, length = found.groups()
    if length is None:
        num_nucleotides = str(_num_letters(text)).encode()
        if not name.endswith(num_nucleotides):
            return None
        name = name.removesuffix(num_nucleotides)
    return name.decode("utf-8", errors="replace") or None


def _num_letters(text: bytes) -> int:
    """How long the sequence under ORIGIN is."""
    _, _, sequence = text.partition(b"\nORIGIN")
    letters = sequence.partition(b"\n")[2].partition(b"\n//")[0]
    return len(letters.translate(None, b" \t\r\n0123456789"))


def _with_qualifiers_in_place(text: bytes) -> bytes:
    begin = _FEATURES.search(text)
    end = begin and _ORIGIN.search(text, begin.end())
    if not begin or not end:
        return text
    lines, quoted = [], False
    for line in text[begin.start() : end.start()].split(b"\n"):
        qualifier = None if quoted else _QUALIFIER.match(line)
        line = _COLUMN + qualifier[1] if qualifier else line
        quoted ^= line.count(b'"') % 2 == 1
        lines.append(line)
    return text[: begin.start()] + b"\n".join(lines) + text[end.start() :]
