"""Codons to residues and back, by every NCBI genetic code.

A code is three lookup arrays over the 64 codons plus one last entry, reached by index -1, for a codon
with an ambiguous nucleotide: so translation is one `take`, at some 100 million codons a second. In codes
27, 28 and 31 the same codon is a residue inside a gene and the stop at its end; it is read as the
residue unless the whole CDS is translated as such (`complete_cds`).
"""

from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
from Bio.Data import CodonTable
from numpy.typing import NDArray

from lifecode.alphabet import (
    AMINO_ACIDS,
    CODONS,
    IGNORE,
    NUM_CODONS,
    STOP,
    letters_of,
)
from lifecode.errors import UserError
from lifecode.usage_tables import shares_in_table

_LETTERS = np.frombuffer((AMINO_ACIDS + "X").encode(), dtype=np.uint8)
_ANY_RESIDUE = len(AMINO_ACIDS)
_METHIONINE = AMINO_ACIDS.index("M")
_RECODED = {"U": "TGA", "O": "TAG"}
_UNKNOWN_RESIDUES = "BJXZ"
_MOST_SYNONYMS = 8


@dataclass(frozen=True, slots=True, eq=False)
class GeneticCode:
    """One NCBI genetic code as arrays over codon ids, the last entry standing for an ambiguous codon.

    Attributes:
        number: NCBI `transl_table`.
        name: NCBI name.
        residues: (65,) index in `AMINO_ACIDS` of each codon, `IGNORE` for the ambiguous one.
        starts: (65,) whether the codon can begin a CDS (and then reads M).
        stops: (65,) whether the codon can end a CDS.
        letters: (256,) ASCII letter of the residue of each codon, `X` from 64 on.
    """

    number: int
    name: str
    residues: NDArray[np.int16]
    starts: NDArray[np.bool_]
    stops: NDArray[np.bool_]
    letters: bytes

    @property
    def has_stops_inside(self) -> bool:
        """Whether a codon is a residue inside a gene and the stop at its end."""
        return bool((self.stops & (self.residues != STOP)).any())

    def amino_acids(self, codons: NDArray[np.int16], *, complete_cds: bool = False) -> NDArray[np.int16]:
        """Index in `AMINO_ACIDS` of each codon (num_codons,), `IGNORE` where the codon is ambiguous.

        Args:
            codons: (num_codons,) codon ids, -1 for an ambiguous codon, as from `alphabet.codon_ids`.
            complete_cds: read a start codon at the first position as M, and a codon that this code
                uses both ways as the stop at the last position.
        """
        ids = self.residues[codons]
        if complete_cds and len(codons):
            if self.starts[codons[0]]:
                ids[0] = _METHIONINE
            if self.stops[codons[-1]]:
                ids[-1] = STOP
        return ids

    def translate(self, codons: NDArray[np.int16], *, complete_cds: bool = False) -> str:
        """Protein of codon ids, one letter per codon: stops `*`, ambiguous codons `X`."""
        return residue_letters(self.amino_acids(codons, complete_cds=complete_cds))

    def reverse_translate(
        self, protein: Any, organism: str = "e_coli", *, generator: np.random.Generator | None = None
    ) -> str:
        """DNA of a protein, exactly three nucleotides per letter, by the codon usage of an organism.

        The 20 residues and `*` translate back. U is written TGA and O is written TAG, which no code reads
        back; B, J, X and Z, which stand for no one residue, are written NNN and come back as X. Under the
        codes whose stops are also residues (27, 28, 31) `*` comes back only at the end, by `complete_cds`.

        Args:
            protein: one-letter residues in either case, as for `alphabet.letters_of`.
            organism: a species with a Kazusa table, such as `e_coli`, `Homo sapiens` or `9606`
                (`lifecode.usage_tables`); only codons that this code reads as the residue are used.
            generator: draws each codon with its share among those of the residue; by default the most
                frequent one is taken.

        Raises:
            UserError: unknown organism, or a letter that is no residue, with its 1-based position.
        """
        codons, upper_shares = _codon_choices(organism, self.number)
        if not isinstance(protein, str):
            protein = letters_of(protein).decode("latin-1")
        letters = np.frombuffer(str.upper(protein).encode("latin-1", errors="replace"), dtype=np.uint8)
        choice = 0
        if generator is not None:
            choice = (generator.random(len(letters))[:, None] >= upper_shares[letters]).sum(axis=1)
        chosen = codons[letters, choice]
        if (unknown := np.flatnonzero(chosen[:, 0] == 0)).size:
            position = int(unknown[0])
            raise UserError(
                f"letter {protein[position]!r} at position {position + 1} is not an amino acid",
                remedy=f"Allowed are {AMINO_ACIDS}UO and {_UNKNOWN_RESIDUES}",
            )
        return chosen.tobytes().decode("ascii")

    def letters_of(self, codons: NDArray[np.int16]) -> bytes:
        """The same as ASCII, each codon read as inside a gene; the fastest way to a protein."""
        return codons.astype(np.uint8).tobytes().translate(self.letters)


def residue_letters(ids: NDArray[np.integer]) -> str:
    """One letter for each index in `AMINO_ACIDS` (length,), `X` for anything outside it."""
    known = (ids >= 0) & (ids < _ANY_RESIDUE)
    return _LETTERS[np.where(known, ids, _ANY_RESIDUE)].tobytes().decode("ascii")


def genetic_code_numbers() -> tuple[int, ...]:
    """The NCBI numbers that `genetic_code` knows, ascending."""
    return tuple(sorted(CodonTable.unambiguous_dna_by_id))


@cache
def genetic_code(number: int) -> GeneticCode:
    """The NCBI genetic code of this `transl_table` number (tables of `Bio.Data.CodonTable`).

    Raises:
        UserError: NCBI has no such table.
    """
    table = CodonTable.unambiguous_dna_by_id.get(number)
    if table is None:
        numbers = ", ".join(map(str, genetic_code_numbers()))
        raise UserError(f"genetic code {number} does not exist", remedy=f"NCBI has the tables {numbers}")
    residues = np.full(NUM_CODONS + 1, IGNORE, dtype=np.int16)
    residues[:NUM_CODONS] = [AMINO_ACIDS.index(table.forward_table.get(codon, "*")) for codon in CODONS]
    starts = np.array([*(codon in table.start_codons for codon in CODONS), False])
    stops = np.array([*(codon in table.stop_codons for codon in CODONS), False])
    for array in (residues, starts, stops):
        array.flags.writeable = False
    letters = residue_letters(residues[:NUM_CODONS]).encode().ljust(256, b"X")
    return GeneticCode(number, str(table.names[0]), residues, starts, stops, letters)


@cache
def _codon_choices(organism: str, code: int) -> tuple[NDArray[np.uint8], NDArray[np.float64]]:
    """Codons of each letter, most frequent first, in ASCII (256, 8, 3), and sums of their shares (256, 8).

    Shares are Kazusa's within a residue, so a codon that the code has moved to another residue is only
    taken where the residue kept none of its own.
    """
    usage = shares_in_table(organism)
    fraction = {codon: share for codons in usage.values() for codon, share in codons.items()}
    table = genetic_code(code)
    codons_of = {letter: [codon] for letter, codon in _RECODED.items()}
    codons_of |= {letter: ["NNN"] for letter in _UNKNOWN_RESIDUES}
    for index, residue in enumerate(AMINO_ACIDS):
        readings = table.stops[:NUM_CODONS] if index == STOP else table.residues[:NUM_CODONS] == index
        codons = [CODONS[i] for i in np.flatnonzero(readings)]
        own = [codon for codon in codons if codon in usage[residue]] or codons
        codons_of[residue] = sorted(own, key=fraction.__getitem__, reverse=True)
    choices = np.zeros((256, _MOST_SYNONYMS, 3), dtype=np.uint8)
    upper_shares = np.ones((256, _MOST_SYNONYMS))
    for letter, codons in codons_of.items():
        for number, codon in enumerate(codons):
            choices[ord(letter), number] = list(codon.encode())
        shares = np.array([fraction.get(codon, 1.0) for codon in codons]) if codons else np.ones(1)
        total = shares.sum()
        if total > 0:
            upper_shares[ord(letter), : len(shares) - 1] = np.cumsum(shares / total)[:-1]
    return choices, upper_shares
