"""GenBank text as its writers spell it, brought to the columns of the standard where gb-io would lose it.

Nothing is copied where nothing is to mend.
"""

import re
from itertools import repeat

import numpy as np
from numpy.typing import NDArray

from lifecode.data.formats.flat_lines import find_line, has_blanks_behind, lines_out_of_column
from lifecode.data.formats.insdc.location_text import with_standard_locations

_LOCUS_NAME = re.compile(rb"LOCUS +(\S+)(?: +(\d+))? +(?:bp|aa|rc)\b")
_QUALIFIER_ELSEWHERE = re.compile(rb"\n {6}(?: {16,}+| {0,14}+)/[A-Za-z_]+[=\r\n]")
_FEATURE_FAR = re.compile(rb"\n {5}(?! )[\w'-]+ ++(?:[<>(\d]|complement\(|join\(|order\()")
_BEHIND_A_TAB = re.compile(rb"\n(?: *+\t[ \t]*+/[A-Za-z_]+[=\r\n]|[ \t]*+[\w'-]++ *+\t[ \t]*+[<>(\dcjo])")
_FEATURE = re.compile(
    rb"(?: {1,12}|\t)([A-Za-z3-5][\w'-]*)[ \t]+((?:[<>(\d]|(?i:complement|join|order|bond|one-of)\().*)$"
)
_TOPOLOGY = re.compile(rb"(?i)(?<= )(?:circular|linear)(?= |$)")
_DATE = re.compile(rb"(?<= )\d{1,2}-[A-Za-z]{3}-\d{4}(?=\s*$)")
_ISO_DATE = re.compile(rb" \d{4}-\d\d-\d\d(?=\s*$)")
_BLANKS_AT_END = re.compile(rb"(?<=\n//)[ \t]++\s*\Z")
_TAIL_BYTES = 1 << 10
_BLANKS_BEHIND = re.compile(rb"(?<=[^ \t\n])[ \t]++(?=\n|\Z)")
_FEATURES, _ORIGIN = re.compile(rb"^FEATURES", re.M), re.compile(rb"^(?:ORIGIN|CONTIG|//)", re.M)
_QUALIFIER = re.compile(rb"(?: {6,}| *\t[ \t]*)(/[A-Za-z_]+(?:=.*)?)$")
_COLUMN = b" " * 21


def read_by_standard(text: bytes, *, of_all: bool) -> bytes:
    """A record in UTF-8, its qualifiers in column 22, its locations as in `location_text`.

    gb-io does not see qualifiers in other columns (Benchling: 30).

    Args:
        text: of the record.
        of_all: locations of all features, not only of CDS and genes.
    """
    if not text.isascii():
        text = utf8(text)
    text = _with_standard_locus(text)
    if blanks := _BLANKS_AT_END.search(text, max(0, len(text) - _TAIL_BYTES)):
        text = text[: blanks.start()] + b"\n"
    end = find_line(text, b"ORIGIN")
    end = len(text) if end < 0 else end
    if has_blanks_behind(text, end):
        text, end = _without_blanks_behind(text, end)
    lines = lines_out_of_column(text, end)
    if _has_qualifiers_elsewhere(text, end, lines):
        return with_standard_locations(_with_qualifiers_in_place(text), "genbank", of_all=of_all)
    return with_standard_locations(text, "genbank", lines.tolist(), of_all=of_all)


def _has_qualifiers_elsewhere(text: bytes, end: int, lines: NDArray[np.int64]) -> bool:
    blank_in_column_6 = np.frombuffer(text, np.uint8).take(lines + 6, mode="clip") == ord(" ")
    begun = map(_QUALIFIER_ELSEWHERE.match, repeat(text), lines[blank_in_column_6].tolist(), repeat(end))
    blank_in_column_22 = np.frombuffer(text, np.uint8).take(lines + 22, mode="clip") == ord(" ")
    far = lines[blank_in_column_22 & ~blank_in_column_6].tolist()
    return (
        any(begun)
        or any(map(_FEATURE_FAR.match, repeat(text), far, repeat(end)))
        or (text.find(b"\t", 0, end) >= 0 and bool(_BEHIND_A_TAB.search(text, 0, end)))
    )


def _with_standard_locus(text: bytes) -> bytes:
    """The text with topology and date of its first line in the letters of the standard."""
    first = text[: text.find(b"\n") + 1].rstrip(b"\n")
    standard = _TOPOLOGY.sub(lambda found: found[0].lower(), first)
    standard = _DATE.sub(lambda found: found[0].upper(), _ISO_DATE.sub(b"", standard))
    return text if standard == first else standard + text[len(first) :]


def _without_blanks_behind(text: bytes, end: int) -> tuple[bytes, int]:
    """The text without blanks at the ends of its lines before `end`, and where that lies now."""
    head = _BLANKS_BEHIND.sub(b"", text[:end])
    return head + text[end:], len(head)


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
        if qualifier:
            line = _COLUMN + qualifier[1]
        elif not quoted and (feature := _FEATURE.match(line)):
            line = b"     %b %b" % (feature[1].ljust(15), feature[2])
        quoted ^= line.count(b'"') % 2 == 1
        lines.append(line)
    return text[: begin.start()] + b"\n".join(lines) + text[end.start() :]
