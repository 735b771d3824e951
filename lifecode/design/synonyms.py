"""Which codons may spell a residue: the synonyms of a genetic code, and those of each letter of a protein.

A codon that a code reads as a residue inside a gene and as the stop at its end (codes 27, 28 and 31) is only
taken for the stop, so that what is designed never depends on how a ribosome decides.
"""

from functools import cache

import numpy as np
from numpy.typing import NDArray

from lifecode.alphabet import AMINO_ACIDS, CODONS, NUM_CODONS, STOP
from lifecode.errors import UserError
from lifecode.genetic_code import genetic_code

_READ_THROUGH = {"U": "selenocysteine", "O": "pyrrolysine"}
_AMBIGUOUS = {"X": "any residue", "B": "D or N", "Z": "E or Q", "J": "I or L"}


@cache
def synonym_family(code: int) -> NDArray[np.int64]:
    """Index in `AMINO_ACIDS` of the residue that each codon (64,) may spell, `STOP` for every stop codon."""
    table = genetic_code(code)
    family = np.where(table.stops[:NUM_CODONS], STOP, table.residues[:NUM_CODONS]).astype(np.int64)
    family.flags.writeable = False
    return family


def residues_of(protein: str, code: int, *, name: str, source: object = None) -> NDArray[np.int64]:
    """Index in `AMINO_ACIDS` of each letter (L,) of a protein, whose stop, if it has one, is its last.

    Args:
        protein: in capital letters.
        code: NCBI genetic code.
        name: of the protein, for the error.
        source: file that it is from, likewise.

    Raises:
        UserError: no letter, or one that no codon of the code spells, with its 1-based position.
    """
    residues = np.array([AMINO_ACIDS.find(letter) for letter in protein], dtype=np.int64)
    has_codon = np.isin(residues, synonym_family(code))
    has_codon[:-1] &= residues[:-1] != STOP
    if not len(residues) or (len(residues) == 1 and residues[0] == STOP):
        raise UserError("the protein has no residue", source=source, record=name, remedy="Remove it")
    if (wrong := np.flatnonzero(~has_codon)).size:
        place = int(wrong[0])
        letter = protein[place]
        raise UserError(
            f"letter {letter!r} at position {place + 1} {_why_not(letter, code)}",
            source=source,
            record=name,
            remedy=f"A protein is written in {AMINO_ACIDS[:-1]}, with * at its end or without",
        )
    return residues


def _why_not(letter: str, code: int) -> str:
    """Why a letter inside a protein is none that can be designed."""
    if letter == "*":
        return "is a stop before the protein's end"
    if letter in _READ_THROUGH:
        return f"is {_READ_THROUGH[letter]}, whose codon is a stop that only some genes read through"
    if letter in _AMBIGUOUS:
        return f"stands for {_AMBIGUOUS[letter]}, so that its codon is not known"
    return f"has no codon under genetic code {code}"


def choices(residues: NDArray[np.int64], code: int) -> NDArray[np.bool_]:
    """(L, 64) whether each codon spells the residue of each position."""
    return synonym_family(code)[None, :] == residues[:, None]


def starting(protein: str, code: int) -> NDArray[np.bool_]:
    """(64,) whether each codon may be a protein's first: one that starts a gene where that begins with M.

    So ATA, which code 21 reads as M inside a gene, is none.
    """
    starts = genetic_code(code).starts[:NUM_CODONS]
    return starts if protein.startswith("M") else np.ones(NUM_CODONS, dtype=np.bool_)


def has_alternative_start(codons: NDArray[np.int64], protein: str, code: int) -> bool:
    """Whether the first codon spells M by its place alone, such as GTG."""
    return len(codons) > 0 and AMINO_ACIDS[synonym_family(code)[codons[0]]] != protein[0]


def with_ordinary_start(codons: NDArray[np.int64], protein: str, code: int) -> NDArray[np.int64]:
    """The codons, with ATG, which is M by every code, for an alternative start codon."""
    if not has_alternative_start(codons, protein, code):
        return codons
    return np.concatenate([[CODONS.index("ATG")], codons[1:]])
