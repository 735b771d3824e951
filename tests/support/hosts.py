"""Hosts whose codon usage is written down codon by codon."""

import numpy as np

from lifecode.alphabet import CODONS, NUM_AMINO_ACIDS
from lifecode.design.host import HostUsage
from lifecode.design.synonyms import synonym_family

LETTER_OF = {codon: index for index, codon in enumerate(CODONS)}


def ids(dna: str) -> np.ndarray:
    """Codon ids (L,) of text."""
    return np.array([LETTER_OF[dna[i : i + 3]] for i in range(0, len(dna), 3)], dtype=np.int64)


def host_of(frequencies: dict[str, float], pairs: dict[tuple[str, str], int] | None = None) -> HostUsage:
    """A host with these codon frequencies; codons that are not named are all as frequent as one another."""
    values = np.array([frequencies.get(codon, 0.001) for codon in CODONS])
    family = synonym_family(1)
    shares = values / np.bincount(family, weights=values, minlength=NUM_AMINO_ACIDS)[family]
    counts = None
    if pairs is not None:
        counts = np.zeros((64, 64))
        for (left, right), count in pairs.items():
            counts[LETTER_OF[left], LETTER_OF[right]] = count
    return HostUsage("by hand", 1, shares, values, counts, None if pairs is None else 1)
