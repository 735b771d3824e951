"""Forbidden sites by name or motif, and how often they stand in a sequence, apart from the search."""

import difflib
import re
from collections.abc import Iterator, Sequence
from functools import cache

from Bio.Data.IUPACData import ambiguous_dna_complement, ambiguous_dna_values
from Bio.Restriction.Restriction_Dictionary import rest_dict

from lifecode.errors import UserError

_IUPAC = set("ACGTNRYSWKMBDHV")
_BETWEEN = re.compile(r"[,;\s]+")
_OF_A_SUPPLIER = re.compile(r"-(?:HFv2|HF|v2)$", re.IGNORECASE)
"""Behind the name of an enzyme: what it is made of, which does not change its site."""


def named_sites(given: str | Sequence[str] | None) -> list[str]:
    """Enzymes as Biopython spells them, and motifs in capital letters, one by one.

    Args:
        given: text with commas, semicolons or spaces between, or a list.

    Raises:
        UserError: one is neither a restriction enzyme nor IUPAC letters.
    """
    parts = [given or ""] if isinstance(given, str | None) else given
    return [_site(part) for text in parts for part in filter(None, _BETWEEN.split(text))]


def motifs_of(site: str) -> list[str]:
    """The IUPAC motifs of a site, 5' to 3' on one strand; a few enzymes have several."""
    return str(rest_dict[site]["site"]).upper().split("|") if site in rest_dict else [site]


def count_sites(dna: str, sites: Sequence[str]) -> int:
    """Occurrences of sites on either strand, a palindrome's once."""
    return sum(len(re.findall(f"(?={strand})", dna)) for site in sites for strand in _patterns(site))


@cache
def _patterns(site: str) -> tuple[str, ...]:
    return tuple(
        "".join(f"[{ambiguous_dna_values[letter]}]" for letter in strand) for strand in set(_strands(site))
    )


def _strands(site: str) -> Iterator[str]:
    for motif in motifs_of(site):
        yield motif
        yield "".join(ambiguous_dna_complement[letter] for letter in reversed(motif))


def _site(text: str) -> str:
    motif = text.upper().replace("U", "T")
    if text in rest_dict:
        return text
    if set(motif) <= _IUPAC:
        return motif
    bare = _OF_A_SUPPLIER.sub("", text).lower()
    if bare in _enzymes():
        return _enzymes()[bare]
    near = [_enzymes()[name] for name in difflib.get_close_matches(bare, _enzymes(), n=3)]
    guess = f"Did you mean {', '.join(near)}? " if near else ""
    raise UserError(
        f"forbidden_sites: {text!r} is neither a restriction enzyme nor a motif",
        remedy=f"{guess}Give a name such as EcoRI, or IUPAC letters such as GGTCTC",
    )


@cache
def _enzymes() -> dict[str, str]:
    """Names by what they are in small letters, no two of which are one."""
    return {name.lower(): name for name in rest_dict}
