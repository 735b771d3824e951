"""Codons that a user fixes by position, such as `2:AAA,40:CTG`."""

import re

import numpy as np
from numpy.typing import NDArray

from lifecode.alphabet import CODONS
from lifecode.errors import UserError

_PAIR = re.compile(r"\s*(\d+)\s*:\s*([ACGTUacgtu]{3})\s*")


def fixed_codons(text: str | None) -> dict[int, int]:
    """Codon ids by position, counted from 0.

    Raises:
        UserError: text of another form, or a position that is named twice.
    """
    fixed: dict[int, int] = {}
    for part in text.split(",") if text else []:
        match = _PAIR.fullmatch(part)
        place = int(match[1]) - 1 if match else -1
        if match is None or place < 0 or place in fixed:
            raise UserError(
                f"fixed_codons: {part.strip()!r} is no position with a codon, or names one again",
                remedy="Write it as 2:AAA,40:CTG, positions from 1",
            )
        fixed[place] = CODONS.index(match[2].upper().replace("U", "T"))
    return fixed


def require_synonyms(fixed: dict[int, int], allowed: NDArray[np.bool_], protein: str, *, name: str) -> None:
    """Raises a `UserError` unless each fixed codon is among those allowed (L, 64) at its position."""
    for place, codon in fixed.items():
        if place >= len(allowed):
            problem = f"position {place + 1} lies beyond the {len(allowed)} codons"
        elif not allowed[place, codon]:
            problem = f"{CODONS[codon]} does not spell {protein[place]} at position {place + 1}"
        else:
            continue
        remedy = "Correct it, or design this protein alone"
        raise UserError(problem, source="constraints.fixed_codons", record=name, remedy=remedy)
