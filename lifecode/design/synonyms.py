"""Which codons may spell a residue: the synonyms of a genetic code, and those of each letter of a protein.

A codon that a code reads as a residue inside a gene and as the stop at its end (codes 27, 28 and 31) is only
taken for the stop, so that what is designed never depends on how a ribosome decides.
"""

from functools import cache

import numpy as np
from numpy.typing import NDArray

from lifecode.alphabet import AMINO_ACIDS, NUM_CODONS, STOP
from lifecode.errors import UserError
from lifecode.genetic_code import genetic_code


@cache
def synonym_family(code: int) -> NDArray[np.int64]:
    """Index in `AMINO_ACIDS` of the residue that each codon (64,) may spell, `STOP` for every stop codon."""
    table = genetic_code(code)
    family = np.where(table.stops[:NUM_CODONS], STOP, table.residues[:NUM_CODONS]).astype(np.int64)
    family.flags.writeable = False
    return family


def residues_of(protein: str, code: int, *, name: str) -> NDArray[np.int64]:
    """Index in `AMINO_ACIDS` of each letter (L,) of a protein, whose stop, if it has one, is its last.

    Raises:
        UserError: no letter, or one that no codon of the code spells, with its 1-based position.
    """
    residues = np.array([AMINO_ACIDS.find(letter) for letter in protein], dtype=np.int64)
    has_codon = np.isin(residues, synonym_family(code))
    has_codon[:-1] &= residues[:-1] != STOP
    if not len(residues) or (len(residues) == 1 and residues[0] == STOP):
        raise UserError("the protein has no residue", record=name, remedy="Remove it")
    if (wrong := np.flatnonzero(~has_codon)).size:
        place = int(wrong[0])
        raise UserError(
            f"letter {protein[place]!r} at position {place + 1} has no codon under genetic code {code}",
            record=name,
            remedy=f"A protein is written in {AMINO_ACIDS[:-1]}, with * at its end or without",
        )
    return residues


def choices(residues: NDArray[np.int64], code: int) -> NDArray[np.bool_]:
    """(L, 64) whether each codon spells the residue of each position."""
    return synonym_family(code)[None, :] == residues[:, None]


def starting(protein: str, code: int) -> NDArray[np.bool_]:
    """(64,) whether each codon may be a protein's first: one that starts a gene where that begins with M.

    So ATA, which code 21 reads as M inside a gene, is none.
    """
    starts = genetic_code(code).starts[:NUM_CODONS]
    return starts if protein.startswith("M") else np.ones(NUM_CODONS, dtype=np.bool_)


def without_alternative_start(codons: NDArray[np.int64], protein: str, code: int) -> NDArray[np.int64]:
    """The codons but for a first one that spells M by its place alone, such as GTG."""
    is_one = len(codons) > 0 and AMINO_ACIDS[synonym_family(code)[codons[0]]] != protein[0]
    return codons[1:] if is_one else codons
