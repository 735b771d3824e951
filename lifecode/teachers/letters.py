"""The letters a protein may have, checked the same way by every teacher."""

from string import ascii_uppercase
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lifecode.alphabet import letters_of
from lifecode.errors import UserError

RESIDUE_LETTERS = ascii_uppercase + "*"
"""The letters in upper case, and `*` for a stop."""
_IS_RESIDUE = np.zeros(256, dtype=bool)
_IS_RESIDUE[[ord(letter) for letter in RESIDUE_LETTERS]] = True


def letter_codes(protein: Any) -> NDArray[np.uint8]:
    """ASCII code (num_residues,) of each residue in upper case.

    Raises:
        UserError: at a character that is neither a letter from A to Z, in either case, nor `*`.
    """
    raw = letters_of(protein)
    codes = np.frombuffer(raw, dtype=np.uint8).copy()
    codes[(codes >= ord("a")) & (codes <= ord("z"))] -= ord("a") - ord("A")
    invalid = np.flatnonzero(~_IS_RESIDUE[codes])
    if invalid.size:
        first = int(invalid[0])
        letter = raw[first:].decode("utf-8", errors="replace")[0]
        raise UserError(
            f"letter {letter!r} at position {first + 1} of a protein is not a residue",
            remedy="Allowed are the letters A to Z in either case, and * for a stop",
        )
    return codes
