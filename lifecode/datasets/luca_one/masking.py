"""Masking of letters: which are selected, and what stands in their place."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lifecode.data.batches.masking import below, chosen, fates, require_shares
from lifecode.models.luca_one.vocabulary import IS_CERTAIN, MASK, TOKENS

_NUCLEOTIDES = np.flatnonzero([name in "1234" for name in TOKENS]).astype(np.uint8)
_RESIDUES = np.flatnonzero([name in "ACDEFGHIKLMNPQRSTVWY" for name in TOKENS]).astype(np.uint8)
LETTERS = (_NUCLEOTIDES, _RESIDUES)
"""Tokens that may take the place of another: the four nucleotides, the twenty residues."""
assert [len(letters) for letters in LETTERS] == [4, 20]


@dataclass(frozen=True, slots=True)
class LetterMasking:
    """How many letters are selected, and what happens to them.

    Attributes:
        fraction: share of a sequence's letters that is selected; unknown ones (N, X, B …) never are.
        masked: share of the selected letters that become `[MASK]`.
        random: share that becomes a random nucleotide or residue; the rest stays.
    """

    fraction: float = 0.15
    masked: float = 0.8
    random: float = 0.1

    def __post_init__(self) -> None:
        require_shares(self.fraction, masked=self.masked, random=self.random, source="pretraining.masking")

    @property
    def selected(self) -> tuple[str, str]:
        """What is selected of what, for a plan."""
        return "masked letters", f"{self.fraction:.3g}"


def mask_letters(
    ids: NDArray[np.uint8],
    molecules: NDArray[np.uint8],
    masking: LetterMasking,
    words: NDArray[np.uint64],
) -> tuple[NDArray[np.uint8], NDArray[np.bool_]]:
    """Corrupts tokens (n,); returns the corrupted ones and which were selected (n,).

    Args:
        ids: of the letters of any number of sequences.
        molecules: 0 for a nucleotide, 1 for a residue (n,).
        masking: how much, and what happens to it.
        words: the random word of each position (n,); nothing else decides about it.
    """
    selected = chosen(words, masking.fraction) & IS_CERTAIN[ids]
    at = np.flatnonzero(selected)
    masked, random, draw = fates(words[at], masking)
    corrupted = ids.copy()
    corrupted[at[masked]] = MASK
    for number, letters in enumerate(LETTERS):
        own = random & (molecules[at] == number)
        corrupted[at[own]] = letters[below(draw[own], len(letters))]
    return corrupted, selected
