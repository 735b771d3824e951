"""BERT-style corruption of nucleotides and codons, a pure function of (record, seed, step).

DNA: 15 % of the nucleotides. CDS: 15 % of the codons, whole. Of the selected positions 80 % become
`[MASK]`, 10 % a random nucleotide (a random sense codon) and 10 % stay as they are. Each position has a
random word of its own, so that many segments are corrupted in one call, and none depends on its company.
"""

from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from lifecode.alphabet import CODONS, MASK, NUCLEOTIDES, UNK, codon_ids
from lifecode.errors import UserError

_SENSE_CODONS = np.array(
    [
        [NUCLEOTIDES.index(letter) for letter in codon]
        for codon in CODONS
        if codon not in ("TAA", "TAG", "TGA")
    ],
    dtype=np.uint8,
)


class CorruptionShares(Protocol):
    """What happens to selected positions; the rest of them stays."""

    @property
    def masked(self) -> float:
        """Share of the selected positions that become `[MASK]`."""
        ...

    @property
    def random(self) -> float:
        """Share that something random takes the place of."""
        ...


def require_shares(*fractions: float, masked: float, random: float, source: str) -> None:
    """Raises a `UserError` unless all are shares, and those of the two fates are at most 1 together."""
    if not all(0 <= share <= 1 for share in (*fractions, masked, random)) or masked + random > 1:
        raise UserError(
            "masking shares must lie between 0 and 1, and masked + random at most 1", source=source
        )


@dataclass(frozen=True, slots=True)
class Masking:
    """How much is selected, and what happens to it.

    Attributes:
        nucleotide_fraction: share of a DNA window's nucleotides that is selected.
        codon_fraction: share of a CDS's codons that is selected.
        masked: share of the selected positions that become `[MASK]`.
        random: share that becomes a random nucleotide or sense codon; the rest stays.
    """

    nucleotide_fraction: float = 0.15
    codon_fraction: float = 0.15
    masked: float = 0.8
    random: float = 0.1

    def __post_init__(self) -> None:
        fractions, source = (self.nucleotide_fraction, self.codon_fraction), "objective.masking"
        require_shares(*fractions, masked=self.masked, random=self.random, source=source)

    @property
    def selected(self) -> tuple[str, str]:
        """What is selected of what, for a plan."""
        return "masked DNA, CDS", f"{self.nucleotide_fraction:.3g}, {self.codon_fraction:.3g}"


def generator(*key: int) -> np.random.Generator:
    """Random numbers that depend on nothing but the key."""
    return np.random.Generator(np.random.Philox(np.random.SeedSequence(key)))


def mask_nucleotides(
    ids: NDArray[np.uint8], masking: Masking, words: NDArray[np.uint64]
) -> tuple[NDArray[np.uint8], NDArray[np.bool_]]:
    """Corrupts nucleotide ids (N,); returns the corrupted ids and which positions were selected (N,).

    Unknown nucleotides are never selected.

    Args:
        ids: of any number of segments.
        masking: how much, and what happens to it.
        words: the random word of each position (N,); nothing else decides about it.
    """
    selected = chosen(words, masking.nucleotide_fraction) & (ids < UNK)
    at = np.flatnonzero(selected)
    masked, random, draw = fates(words[at], masking)
    corrupted = ids.copy()
    corrupted[at[masked]] = MASK
    corrupted[at[random]] = below(draw[random], len(NUCLEOTIDES))
    return corrupted, selected


def mask_codons(
    ids: NDArray[np.uint8], masking: Masking, words: NDArray[np.uint64]
) -> tuple[NDArray[np.uint8], NDArray[np.bool_]]:
    """Corrupts whole codons of in-frame nucleotide ids (3L,); returns ids (3L,) and selected codons (L,).

    Codons with an unknown nucleotide are never selected.

    Args:
        ids: of any number of segments.
        masking: how much, and what happens to it.
        words: the random word of each codon (L,); nothing else decides about it.
    """
    selected = chosen(words, masking.codon_fraction) & (codon_ids(ids) >= 0)
    at = np.flatnonzero(selected)
    masked, random, draw = fates(words[at], masking)
    triplets = ids.reshape(-1, 3).copy()
    triplets[at[masked]] = MASK
    triplets[at[random]] = _SENSE_CODONS[below(draw[random], len(_SENSE_CODONS))]
    return triplets.reshape(-1), selected


# Of a word the first 20 bits select, the next 20 decide what happens, the last 24 draw a replacement.


def chosen(words: NDArray[np.uint64], fraction: float) -> NDArray[np.bool_]:
    """Which positions (n,) their random words select, of whom a fraction is."""
    return words >> np.uint64(44) < np.uint64(round(fraction * 2**20))


def fates(
    words: NDArray[np.uint64], masking: "CorruptionShares"
) -> tuple[NDArray[np.bool_], NDArray[np.bool_], NDArray[np.uint64]]:
    """Which selected positions become `[MASK]`, which are replaced, and 24 random bits of each."""
    fate = words >> np.uint64(24) & np.uint64(2**20 - 1)
    masked = fate < np.uint64(round(masking.masked * 2**20))
    random = ~masked & (fate < np.uint64(round((masking.masked + masking.random) * 2**20)))
    return masked, random, words & np.uint64(2**24 - 1)


def below(draw: NDArray[np.uint64], number: int) -> NDArray[np.uint64]:
    """24 random bits as a number below `number`."""
    return draw * np.uint64(number) >> np.uint64(24)
