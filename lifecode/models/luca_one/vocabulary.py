"""The 39 tokens of LucaOne: special ones, five for the letters of nucleic acids, and those of proteins.

A molecule is said by its name, never guessed from its letters: ACGT is a peptide too. Letters of a gene that
are no nucleotide become N, as in the released models; what is no letter at all is an error.
"""

from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from lifecode.alphabet import letters_of
from lifecode.errors import UserError

Kind = Literal["nucleic acid", "protein"]

PAD, UNK, CLS, SEP, MASK = range(5)
FIRST_LETTER = 5
_NUCLEOTIDES = "12345"
"""How LucaOne writes A, T or U, C, G, and anything else."""
_RESIDUES = "LAGVSERTIDPKQNFYMHWCXBUZOJ.-*"
TOKENS = ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *_NUCLEOTIDES, *_RESIDUES)
NUM_TOKENS = len(TOKENS)
NO_NUCLEOTIDE = TOKENS.index("5")
_AMBIGUOUS = [NO_NUCLEOTIDE, *(TOKENS.index(letter) for letter in "XBZJ.-*")]
IS_CERTAIN = np.isin(np.arange(NUM_TOKENS), _AMBIGUOUS, invert=True)
IS_CERTAIN[:FIRST_LETTER] = False
"""(39,) whether a token is one nucleotide or one residue, and nothing that stands for several or none."""

_KIND_OF_WORD: dict[str, Kind] = {
    **dict.fromkeys(("dna", "rna", "cds", "gene", "nucleotide", "nucleic acid"), "nucleic acid"),
    **dict.fromkeys(("protein", "prot"), "protein"),
}
NUMBER_OF_KIND: dict[Kind, int] = {"nucleic acid": 0, "protein": 1}
"""Row of the embedding of molecule types."""

_NO_TOKEN = 255
_FROM_IDS = np.array([5, 7, 8, 6, NO_NUCLEOTIDE], dtype=np.uint8)
"""Token of each nucleotide id of `lifecode.alphabet`: A, C, G, T, N."""
_TABLES: dict[Kind, bytearray] = {kind: bytearray([_NO_TOKEN] * 256) for kind in NUMBER_OF_KIND}
for _letter in _RESIDUES:
    _nucleotide = {"A": 5, "T": 6, "U": 6, "C": 7, "G": 8}.get(_letter, NO_NUCLEOTIDE)
    for _case in (_letter, _letter.lower()):
        _TABLES["protein"][ord(_case)] = TOKENS.index(_letter)
        _TABLES["nucleic acid"][ord(_case)] = _nucleotide


def molecule_kind(word: object, *, record: object | None = None) -> Kind:
    """What a word for a molecule means: `dna`, `rna`, `cds`, `gene`, `nucleotide`; `protein`, `prot`.

    Raises:
        UserError: any other word.
    """
    kind = _KIND_OF_WORD.get(word.strip().lower()) if isinstance(word, str) else None
    if kind is None:
        known = ", ".join(word for word in _KIND_OF_WORD if " " not in word)
        raise UserError(
            f"the molecule {word!r} is unknown", source="molecule", record=record, remedy=f"Choose {known}"
        )
    return kind


def tokens_of_letters(sequence: Any, kind: Kind, *, record: object | None = None) -> NDArray[np.uint8]:
    """Token ids (length,) of text in either case, without special tokens.

    Args:
        sequence: as for `lifecode.alphabet.letters_of`.
        kind: of the molecule.
        record: its name, for the error.

    Raises:
        UserError: at the first character that is neither a letter nor one of `.-*`.

    >>> tokens_of_letters("acguN", "nucleic acid").tolist()
    [5, 7, 8, 6, 9]
    >>> tokens_of_letters("MLX", "protein").tolist()
    [26, 10, 30]
    """
    raw = letters_of(sequence, record=record)
    ids = bytearray(raw).translate(_TABLES[kind])
    first = ids.find(_NO_TOKEN)
    if first >= 0:
        raise UserError(
            f"{chr(raw[first])!r} at position {first + 1} is no letter",
            record=record,
            remedy="Write the sequence in letters alone; . - and * may stand among them",
        )
    return np.frombuffer(ids, dtype=np.uint8)


def tokens_of_nucleotides(ids: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Token ids (length,) of the nucleotide ids 0 to 4 of `lifecode.alphabet`."""
    return _FROM_IDS[ids]
