"""Names of protein mutants, as scans write them: `H24C`, `p.His24Cys`, `A24C:D30E`, `A24del`, `_wt`.

A letter stands for a residue, or three letters as in HGVS, in either case; several mutations are divided by a
sign or a space.
"""

import re
from typing import NamedTuple

from Bio.Data.IUPACData import protein_letters_3to1_extended

NO_RESIDUE = "-"
"""Stands for the new residue of a deletion, an insertion, a frameshift or an effect that is not known."""
_LETTER_OF = {name.upper(): letter for name, letter in protein_letters_3to1_extended.items()}
_LETTER_OF |= {"TER": "*", "STOP": "*"}
_RESIDUE = rf"(?:{'|'.join(_LETTER_OF)}|[A-Z*])"
_ONE = re.compile(rf"({_RESIDUE})(-?\d{{1,6}})({_RESIDUE}|=|-)")
_OTHER = re.compile(
    rf"({_RESIDUE})(-?\d{{1,6}})(?:_{_RESIDUE}-?\d{{1,6}})?{_RESIDUE}?(?:DEL|INS|DUP|FS|EXT|\?)[A-Z0-9*?=()-]*"
)
"""A deletion, insertion, frameshift or extension, or an effect that is not known."""
_BETWEEN = re.compile(rf"[:,;/+&|\s]+|(?<=[A-Z*=])[_-](?={_RESIDUE}-?\d)")
_WILD_TYPE = {"WT", "_WT", "_SY", "=", "P.=", "P.(=)", "WILDTYPE", "WILD-TYPE", "WILD_TYPE", "WILD TYPE"}
_NOT_TOLD = {"", "NA", "N/A", "NAN", "NONE", "NULL", "<NA>", "?", "P.?", "P.(?)", "0", "P.0", "P.0?", "P.(0)"}


class Mutation(NamedTuple):
    """A residue that becomes another, by its number in the file; letters in capitals."""

    old: str
    number: int
    new: str


def mutations_of(name: str) -> list[Mutation] | None:
    """The mutations that a name tells, none of the wild type; None where a cell is empty or says `p.?`.

    Raises:
        ValueError: a word of the name is no mutation; it is the argument.
    """
    text = name.strip()
    if text.upper() in _WILD_TYPE:
        return []
    if text.upper() in _NOT_TOLD:
        return None
    reference, _, rest = text.partition(":p.")  # NP_000050.3:p.His24Cys
    if rest and _mutation(reference) is None:
        text = rest
    bare = text.upper().replace("P.", "").strip("[]()")
    found = []
    for word in list(filter(None, _BETWEEN.split(bare))) or [text]:
        if (one := _mutation(word)) is None:
            raise ValueError(word)
        found.append(one)
    return found


def name_of(mutations: list[Mutation]) -> str:
    """The name of mutations of one letter each, `WT` without any."""
    return ":".join(f"{one.old}{one.number}{one.new}" for one in mutations) or "WT"


def _mutation(word: str) -> Mutation | None:
    letters = word.upper().removeprefix("P.").strip("[]()")
    if (found := _ONE.fullmatch(letters)) is not None:
        old = _letter(found[1])
        return Mutation(old, int(found[2]), old if found[3] == "=" else _letter(found[3]))
    found = _OTHER.fullmatch(letters)
    return None if found is None else Mutation(_letter(found[1]), int(found[2]), NO_RESIDUE)


def _letter(residue: str) -> str:
    return _LETTER_OF.get(residue, residue)
