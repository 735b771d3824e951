"""What sequences are: coding ones in frame, DNA or RNA whose frame is unknown, or proteins; and their ids.

Ids of nucleic acids are those of `lifecode.alphabet`; those of a protein are its letters in upper case, so
that each family of models, and each baseline, reads what it knows of them.
"""

from collections.abc import Sequence
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from lifecode.alphabet import RESIDUE_LETTERS, codon_ids, decode_nucleotides, encode_nucleotides
from lifecode.errors import UserError
from lifecode.genetic_code import genetic_code

Molecule = Literal["cds", "dna", "protein"]
MoleculeWord = Literal["cds", "dna", "rna", "gene", "nucleotide", "protein", "prot"]
"""What a config may say: `rna`, `gene` and `nucleotide` mean `dna`, any frame; `prot` means `protein`."""
_MOLECULE_OF_WORD: dict[str, Molecule] = {
    "cds": "cds",
    **dict.fromkeys(("dna", "rna", "gene", "nucleotide"), "dna"),
    **dict.fromkeys(("protein", "prot"), "protein"),
}
_SHARE = 0.95
_BACTERIAL = 11
_IS_RESIDUE = np.isin(np.arange(256), np.frombuffer(RESIDUE_LETTERS.encode(), dtype=np.uint8))


def molecule_named(word: MoleculeWord) -> Molecule:
    """The molecule that a word means.

    Raises:
        UserError: any other word.
    """
    if word not in _MOLECULE_OF_WORD:
        raise UserError(f"the molecule {word!r} is unknown", remedy=f"Choose {', '.join(_MOLECULE_OF_WORD)}")
    return _MOLECULE_OF_WORD[word]


def molecule_of(sequences: Sequence[NDArray[np.uint8]]) -> Molecule:
    """`cds` where 95 % of the sequences are whole codons without a stop before the last one, else `dna`.

    A protein is never guessed: ACGT is a peptide too.
    """
    return "cds" if np.mean([is_in_frame(ids) for ids in sequences]) >= _SHARE else "dna"


def is_in_frame(ids: NDArray[np.uint8]) -> bool:
    """Whether a sequence is whole codons without a stop of the bacterial code before the last one."""
    return len(ids) % 3 == 0 and not genetic_code(_BACTERIAL).stops[codon_ids(ids)[:-1]].any()


def encoded(
    letters: str, molecule: Molecule, *, source: object | None = None, record: object | None = None
) -> NDArray[np.uint8]:
    """Ids (length,) of a sequence.

    Args:
        letters: in either case.
        molecule: what it is.
        source: file, for the error.
        record: likewise.

    Raises:
        UserError: a letter that is no nucleotide, or no residue.

    >>> encoded("acg", "dna").tolist(), encoded("mk", "protein").tolist()
    ([0, 1, 2], [77, 75])
    """
    if molecule != "protein":
        return encode_nucleotides(letters, source=source, record=record)
    ids = np.frombuffer(letters.encode("latin-1", "replace").upper(), dtype=np.uint8)
    wrong = np.flatnonzero(~_IS_RESIDUE[ids])
    if len(wrong):
        raise UserError(
            f"{letters[wrong[0]]!r} at position {wrong[0] + 1} is no residue",
            source=source,
            record=record,
            remedy=f"Write proteins in {RESIDUE_LETTERS}",
        )
    return ids


def decoded(ids: NDArray[np.uint8], molecule: Molecule) -> str:
    """The letters of ids."""
    return ids.tobytes().decode("ascii") if molecule == "protein" else decode_nucleotides(ids)


def first_codons(ids: NDArray[np.uint8], most: int | None, molecule: Molecule) -> NDArray[np.uint8]:
    """The first codons of a sequence, or residues of a protein; all for None."""
    return ids if most is None else ids[: most if molecule == "protein" else 3 * most]
