"""The letters a protein may have, checked the same way by every teacher."""

from string import ascii_uppercase

import numpy as np
from numpy.typing import NDArray

from lifecode.errors import UserError

RESIDUE_LETTERS = ascii_uppercase + "*"
"""The letters in upper case, and `*` for a stop."""
_IS_RESIDUE = np.zeros(256, dtype=bool)
_IS_RESIDUE[[ord(letter) for letter in RESIDUE_LETTERS]] = True


def letter_codes(protein: str) -> NDArray[np.uint8]:
    """ASCII code (num_residues,) of each residue in upper case.

    Raises:
        UserError: at a character that is neither a letter from A to Z, in either case, nor `*`.
    """
    codes = np.frombuffer(protein.encode("latin-1", errors="replace"), dtype=np.uint8).copy()
    codes[(codes >= ord("a")) & (codes <= ord("z"))] -= ord("a") - ord("A")
    invalid = np.flatnonzero(~_IS_RESIDUE[codes])
    if invalid.size:
        first = int(invalid[0])
        raise UserError(
            f"letter {protein[first]!r} at position {first + 1} of a protein is not a residue",
            remedy="Allowed are the letters A to Z in either case, and * for a stop",
        )
    return codes
