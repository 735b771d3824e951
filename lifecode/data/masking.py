"""BERT-style corruption of nucleotides and codons, a pure function of (record, seed, step).

DNA: 15 % of the nucleotides. CDS: 15 % of the codons, whole. Of the selected positions 80 % become
`[MASK]`, 10 % a random nucleotide (a random sense codon) and 10 % stay as they are.
"""

from dataclasses import dataclass

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
        shares = (self.nucleotide_fraction, self.codon_fraction, self.masked, self.random)
        if not all(0 <= share <= 1 for share in shares) or self.masked + self.random > 1:
            raise UserError(
                "masking shares must lie between 0 and 1, and masked + random at most 1",
                source="objective.masking",
            )


def generator(*key: int) -> np.random.Generator:
    """Random numbers that depend on nothing but the key."""
    return np.random.Generator(np.random.Philox(np.random.SeedSequence(key)))


def mask_nucleotides(
    ids: NDArray[np.uint8], masking: Masking, rng: np.random.Generator
) -> tuple[NDArray[np.uint8], NDArray[np.bool_]]:
    """Corrupts nucleotide ids (N,); returns the corrupted ids and which positions were selected (N,).

    Unknown nucleotides are never selected.
    """
    selected = (rng.random(len(ids)) < masking.nucleotide_fraction) & (ids < UNK)
    fate = rng.random(len(ids))
    corrupted = np.where(selected & (fate < masking.masked), np.uint8(MASK), ids)
    replaced = selected & (fate >= masking.masked) & (fate < masking.masked + masking.random)
    corrupted[replaced] = rng.integers(0, 4, int(replaced.sum()), dtype=np.uint8)
    return corrupted, selected


def mask_codons(
    ids: NDArray[np.uint8], masking: Masking, rng: np.random.Generator
) -> tuple[NDArray[np.uint8], NDArray[np.bool_]]:
    """Corrupts whole codons of in-frame nucleotide ids (3L,); returns ids (3L,) and selected codons (L,).

    Codons with an unknown nucleotide are never selected.
    """
    num_codons = len(ids) // 3
    selected = (rng.random(num_codons) < masking.codon_fraction) & (codon_ids(ids) >= 0)
    fate = rng.random(num_codons)
    triplets = ids.reshape(-1, 3).copy()
    triplets[selected & (fate < masking.masked)] = MASK
    replaced = selected & (fate >= masking.masked) & (fate < masking.masked + masking.random)
    triplets[replaced] = _SENSE_CODONS[rng.integers(0, len(_SENSE_CODONS), int(replaced.sum()))]
    return triplets.reshape(-1), selected
