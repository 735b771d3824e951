"""The ninth column of a GFF3, GTF or GFF2 line, read by the syntax that the line itself is written in.

GFF3 writes `key=value;key=value` with percent escapes, GTF and GFF2 write `key "value"; key value`, and the
group of GFF1 is a bare word. Files mix them and forget semicolons and quotes, so every line is judged on its
own. The time is linear in the length of the column.
"""

import re
from collections.abc import Iterator
from functools import lru_cache
from urllib.parse import unquote

BARE = ""
"""Key of a column that is one word and names the group of the line, as in GFF1 and AUGUSTUS."""

_QUOTED_PAIR = re.compile(r"(?:^|(?<=[;\s\"']))([^\s;=\"']++)\s*+=\s*+(?:\"([^\"]*+)\"|'([^';]*+)'|([^;]*+))")
_ONE_VALUE = frozenset(
    {
        "id",
        "name",
        "gene_id",
        "transcript_id",
        "protein_id",
        "gene",
        "locus_tag",
        "transl_table",
        "codon_start",
    }
)


_IRREGULAR = (" =", "= ", "; ", " ;", '="', "='")


def attributes(column: str, gff3: bool) -> dict[str, str]:
    """The values by their keys in lower case; of a repeated key the values are joined by commas.

    What identifies a feature (`ID`, `transcript_id` and the like) keeps its first value, and `Parent` its
    percent escapes, because its commas separate parents.

    Args:
        column: the ninth column.
        gff3: what `is_gff3` says of it.
    """
    if (regular := _regular_gff3(column) if gff3 else _regular_gtf(column)) is not None:
        return regular
    found: dict[str, str] = {}
    repeated: dict[str, list[str]] = {}
    for key, value in _gff3_pairs(column) if gff3 else _gtf_pairs(column):
        low = key.lower()
        if low not in found:
            found[low] = value
        elif low not in _ONE_VALUE:
            repeated.setdefault(low, [found[low]]).append(value)
        elif key[:1].isupper():  # GFF3's own ID and Name, behind an id or name that the program added
            found[low] = value
    for low, values in repeated.items():
        found[low] = ",".join(values)
    return found


def is_gff3(column: str) -> bool:
    """Whether a column begins with `key=`, perhaps behind keys without a value."""
    equals = column.find("=")
    if equals < 0:
        return False
    before = column[:equals]
    if before.isidentifier():
        return True
    words = [word.strip() for word in before.split(";")]
    return bool(words[-1]) and not any(" " in word or "\t" in word or '"' in word for word in words)


def _regular_gff3(column: str) -> dict[str, str] | None:
    """What a column without quotes, stray blanks and repeated keys says, and faster; None for others."""
    if column[-1:] == " " or any(sign in column for sign in _IRREGULAR):
        return None
    pairs = [pair.partition("=") for pair in column.split(";") if pair]
    found = {key.lower(): value for key, _, value in pairs}
    if len(found) != len(pairs) or len(pairs) == 1:
        return None
    if "%" in column:
        for key, value in found.items():
            if "%" in value and key != "parent":
                found[key] = unquote(value)
    return found


def _regular_gtf(column: str) -> dict[str, str] | None:
    """The same for a column in which every value stands in quotes and every key once."""
    pieces = column.split('"')
    if pieces.pop().strip(" ;"):
        return None
    keys = [_key_before_quote(text) for text in pieces[::2]]
    found = dict(zip(keys, pieces[1::2], strict=False))
    return None if len(found) != len(keys) or len(pieces) % 2 or "" in found else found


@lru_cache(maxsize=1000)
def _key_before_quote(text: str) -> str:
    """The one key that stands before a quoted value, empty where there is none or more."""
    key = text.strip(" ;").lower()
    return key if key.isidentifier() else ""


def _gff3_pairs(column: str) -> list[tuple[str, str]]:
    if '="' in column or "='" in column or '= "' in column:
        pairs = [
            (key, double or single or bare) for key, double, single, bare in _QUOTED_PAIR.findall(column)
        ]
    else:
        words = column.split(";")
        if len(words) == 1 and column.count("=") > 1 and all("=" in word for word in column.split()):
            words = column.split()  # blanks for semicolons
        pairs = [(key, value) for key, _, value in [word.partition("=") for word in words]]
    escaped = "%" in column
    return [
        (
            key.strip(),
            unquote(value.strip()) if escaped and key.strip().lower() != "parent" else value.strip(),
        )
        for key, value in pairs
        if key and not key.isspace()
    ]


def _gtf_pairs(column: str) -> Iterator[tuple[str, str]]:
    pieces = column.split('"')
    if len(pieces) % 2 == 0:  # a quote is missing somewhere
        pieces = [column.replace('"', " ")]
    for outside, quoted in zip(pieces[::2], pieces[1::2], strict=False):
        key = outside.strip(" ;\t=,")
        if key.isidentifier():
            yield key, quoted
        else:
            *before, last = outside.split(";")
            for pair in before:
                yield from _bare_pair(pair)
            *words, key = last.rstrip(" \t=").split() or [""]
            yield from _bare_pair(" ".join(words))
            if key:
                yield key, quoted
    only_word = len(pieces) == 1
    for pair in pieces[-1].split(";"):
        if only_word and "=" not in pair and len(pair.split()) == 1:
            yield BARE, pair.strip().strip("'")
        else:
            yield from _bare_pair(pair)


def _bare_pair(text: str) -> Iterator[tuple[str, str]]:
    """`key value` or `key=value` without double quotes."""
    key, _, value = text.strip().partition("=" if "=" in text else " ")
    if key and key != ",":
        yield key.strip(), value.strip().strip("'")
