"""Locations of features in flat files as the standard spells them, where parsers read only a part.

gb-io takes what it understands of `1..21>` or `1.21` and drops the rest without a word. An open end in the
wrong place is moved to its own, and the name of the record itself goes (`J00194.1:1..3`, which is remote on
another one); any other location that the standard does not have is marked as unreadable.
"""

import re
from collections.abc import Iterable
from functools import partial
from itertools import repeat
from typing import Literal

from lifecode.data.formats.flat_lines import find_line

_KINDS = {False: rb"(?:CDS|gene|(?i:CDS))", True: rb"[\w'-]++"}
_PLACES = {
    (form, of_all): re.compile(
        rb"\n%b {3}%b ++"
        rb"(?!(?:complement\(\d++\.\.\d++\)|\d++\.\.\d++)\n%b(?: {4,}+/| {3}\S))"  # most, and standard
        rb"(\S[^\n]*(?:\n%b {4,}[^\s/][^\n]*)*)" % (mark, kinds, mark, mark)
    )
    for form, mark in (("genbank", b"  "), ("embl", b"FT"))
    for of_all, kinds in _KINDS.items()
}
_SEQUENCE = {"genbank": b"ORIGIN", "embl": b"SQ "}
_WHITE_SPACE = re.compile(rb"\s+(?:FT\s+)?")
_RANGE = re.compile(rb"(?<![\w.:<>])([<>]?)(\d+)([<>]?)\.\.([<>]?)(\d+)([<>]?)(?![\w.<>])")
_OPEN_ALONE = re.compile(rb"(?<![\w.:<>])([<>])(\d+)(?![\w.<>])")
_PART = rb"(?:(?:complement|join|order)\()*(?:(?:[A-Za-z_][\w.]*:)?<?\d+(?:\.\.>?\d+|\^\d+)?|gap\(\w*\))\)*"
_STANDARD = re.compile(rb"%b(?:,%b)*" % (_PART, _PART))
_OPERATOR = re.compile(rb"(?i)\b(?:complement|join|order)\(")
_UNREADABLE = b"?"
_REMOTE = re.compile(rb"([A-Za-z_][\w.]*):")
_NAMES = re.compile(rb"(?m)^(?:LOCUS|ACCESSION|VERSION|ID|AC) +([\w.]+)(?:; SV (\d+))?")
_HEAD_BYTES = 1 << 14


def with_standard_locations(
    text: bytes, form: Literal["genbank", "embl"], lines: Iterable[int] | None = None, *, of_all: bool
) -> bytes:
    """The text of a record with its locations mended; the same object where there is nothing to mend.

    Args:
        text: of the record.
        form: how it is written.
        lines: the line ends before all lines with which its features begin, at least; by default looked for.
        of_all: features, not only of CDS and genes.
    """
    pieces, copied = [], 0
    own: frozenset[bytes] | None = None
    for found in _unusual_places(text, form, lines, of_all):
        location = found[1]
        in_one = len(location.split()) == 1
        written = location.strip() if in_one else _WHITE_SPACE.sub(b"", location)
        local = written
        if b":" in written:
            own = own or _own_names(text)
            local = _REMOTE.sub(partial(_unless_own, own), written)
        standard = _standard(local)
        if standard != written or (written != location and (in_one or b"\n" not in location)):
            pieces += [text[copied : found.start(1)], standard]
            copied = found.end(1)
    return b"".join([*pieces, text[copied:]]) if pieces else text


def _unless_own(own: frozenset[bytes], remote: re.Match[bytes]) -> bytes:
    return b"" if remote[1] in own else remote[0]


def _own_names(text: bytes) -> frozenset[bytes]:
    """The names that a record has, with and without a version."""
    names: set[bytes] = set()
    for found in _NAMES.finditer(text, 0, _HEAD_BYTES):
        names |= {found[1], b"%b.%b" % (found[1], found[2] or b"")}
    return frozenset(names)


def _unusual_places(
    text: bytes, form: str, lines: Iterable[int] | None, of_all: bool
) -> Iterable[re.Match[bytes]]:
    places = _PLACES[form, of_all]
    if lines is not None:
        return filter(None, map(places.match, repeat(text), lines))
    end = find_line(text, _SEQUENCE[form])
    return places.finditer(text, 0, len(text) if end < 0 else end + 1)


def _standard(location: bytes) -> bytes:
    location = _OPERATOR.sub(lambda found: found[0].lower(), location)
    if b"<" in location or b">" in location:
        location = _OPEN_ALONE.sub(_opened, _RANGE.sub(_range, location))
    if _STANDARD.fullmatch(location) and _is_one(location):
        return location
    return _UNREADABLE + location


def _range(found: re.Match[bytes]) -> bytes:
    before, start, behind, before_end, end, behind_end = found.groups()
    opens, goes_on = b"<" * bool(before or behind), b">" * bool(before_end or behind_end)
    return opens + start + b".." + goes_on + end


def _opened(found: re.Match[bytes]) -> bytes:
    mark, place = found.groups()
    return b"<%b..%b" % (place, place) if mark == b"<" else b"%b..>%b" % (place, place)


def _is_one(location: bytes) -> bool:
    """Whether its parentheses match and no comma stands outside them."""
    if b"," not in location and b"(" not in location:
        return b")" not in location
    depth = 0
    for place, letter in enumerate(location):
        depth += (letter == ord("(")) - (letter == ord(")"))
        if depth < 0 or (not depth and letter in b",)" and place < len(location) - 1):
            return False
    return not depth
