"""One side of many pairs: the distinct sequences, as ids for models and as letters for baselines."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lifecode.alphabet import NUCLEOTIDE_LETTERS, amino_acid_ids
from lifecode.errors import UserError
from lifecode.tasks.examples.molecule import Molecule, encoded

SideKind = Molecule
_NUCLEOTIDES = frozenset(NUCLEOTIDE_LETTERS)
_LOOKED_AT, _MOST = 1_000, 0.5
"""Texts of a side, and the share of them that says what it is."""


@dataclass(frozen=True, slots=True, eq=False)
class Side:
    """Sequences of one kind, and which of them each pair has.

    Attributes:
        kind: of all of them.
        letters: (num_distinct,) as `canonical` writes them, in the order of their first pair.
        rows: (num_pairs,) index in `letters`.
    """

    kind: SideKind
    letters: list[str]
    rows: NDArray[np.int64]

    @classmethod
    def of(cls, texts: Sequence[str], kind: SideKind) -> "Side":
        """The sides of pairs in their order."""
        index: dict[str, int] = {}
        rows = [index.setdefault(canonical(text, kind), len(index)) for text in texts]
        return cls(kind, list(index), np.array(rows, dtype=np.int64))

    @property
    def molecule(self) -> Molecule:
        """How models read it."""
        return self.kind

    def at(self, rows: NDArray[np.integer]) -> "Side":
        """Those of these pairs."""
        return Side.of([self.letters[i] for i in self.rows[rows].tolist()], self.kind)

    def followed_by(self, other: "Side") -> "Side":
        """The sides of further pairs behind these."""
        both = [side.letters[i] for side in (self, other) for i in side.rows.tolist()]
        return Side.of(both, self.kind)

    def sequences(self) -> list[NDArray[np.uint8]]:
        """Ids (length,) of each distinct sequence, as `lifecode.tasks.examples.molecule.encoded` gives them.

        Raises:
            UserError: a letter that is no nucleotide, or no residue.
        """
        found = []
        for letters in self.letters:
            try:
                found.append(encoded(letters, self.kind))
            except UserError as fault:
                raise UserError(
                    f"{fault.problem}, in {letters[:20]}…",
                    source=f"the {self.kind} side",
                    remedy=fault.remedy,
                ) from fault
        return found

    def residues(self) -> list[NDArray[np.int16]]:
        """Ids (length,) of each distinct protein, below 0 where a letter is none of the 20 or a stop."""
        return [amino_acid_ids(letters) for letters in self.letters]


def canonical(text: str, kind: SideKind) -> str:
    """Upper case, RNA as DNA: equal for sequences that are read alike."""
    return text.upper() if kind == "protein" else text.upper().replace("U", "T")


def require_letters(texts: Sequence[str], kind: SideKind, column: str, source: str, first: int = 1) -> None:
    """Raises a `UserError` that names the row of the first text with a letter that is not of a side's kind.

    Args:
        texts: of the rows of a file.
        kind: of the side.
        column: of the side.
        source: name of the file.
        first: number of the first row.
    """
    checked: set[str] = set()
    for row, text in enumerate(texts, start=first):
        if text not in checked:
            checked.add(text)
            try:
                encoded(text, kind)
            except UserError as fault:
                raise UserError(
                    f"{fault.problem}, in column {column!r}, the {kind} side",
                    source=source,
                    record=f"in row {row}",
                    remedy=fault.remedy,
                ) from fault


def kind_of(texts: Sequence[str]) -> SideKind:
    """`dna` where most texts have letters of nucleotides alone, others being mistakes, else `protein`."""
    looked_at = [text for text in texts[:_LOOKED_AT] if text]
    nucleic = sum(_NUCLEOTIDES.issuperset(text.upper()) for text in looked_at)
    return "dna" if nucleic > _MOST * len(looked_at) else "protein"
