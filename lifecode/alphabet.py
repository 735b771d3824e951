"""One alphabet for DNA, RNA and back-translated protein: nine nucleotide ids, 64 codons, 21 residues.

Every molecule becomes nucleotides (Life-Code A.2). Special tokens are written three times, one codon
wide, so that a packed row never loses its reading frame.
"""

from itertools import product

import numpy as np
from numpy.typing import NDArray

from lifecode.errors import UserError

NUCLEOTIDES = "ACGT"
UNK, PAD, CLS, SEP, MASK = range(4, 9)
NUM_NUCLEOTIDE_IDS = 9
COMPLEMENT = np.array([3, 2, 1, 0, UNK, PAD, CLS, SEP, MASK], dtype=np.uint8)
"""Id of the pairing nucleotide of each id; special tokens pair with themselves."""

CODONS = tuple("".join(codon) for codon in product(NUCLEOTIDES, repeat=3))
NUM_CODONS = 64

AMINO_ACIDS = "ACDEFGHIKLMNPQRSTVWY*"
STOP = AMINO_ACIDS.index("*")
NUM_AMINO_ACIDS = len(AMINO_ACIDS)
IGNORE = -100
"""Label of a position that no loss and no metric reads."""

NO_RESIDUE = 255
"""What stands for the residue of a codon with an ambiguous nucleotide, which has no label."""

_IUPAC_AMBIGUOUS = "NRYSWKMBDHV"
_INVALID = NO_RESIDUE
_ID_OF_BYTE = np.full(256, _INVALID, dtype=np.uint8)
for _index, _letter in enumerate(NUCLEOTIDES):
    _ID_OF_BYTE[[ord(_letter), ord(_letter.lower())]] = _index
_ID_OF_BYTE[[ord("U"), ord("u")]] = NUCLEOTIDES.index("T")
for _letter in _IUPAC_AMBIGUOUS:
    _ID_OF_BYTE[[ord(_letter), ord(_letter.lower())]] = UNK
_ID_OF_BYTE_BYTES = _ID_OF_BYTE.tobytes()
_INDEX_OF_RESIDUE = np.full(256, _INVALID, dtype=np.uint8)
for _index, _letter in enumerate(AMINO_ACIDS):
    _INDEX_OF_RESIDUE[[ord(_letter), ord(_letter.lower())]] = _index
_INDEX_OF_RESIDUE_BYTES = _INDEX_OF_RESIDUE.tobytes()
_BYTE_OF_ID = np.frombuffer(b"ACGTN", dtype=np.uint8)


def encode_nucleotides(
    sequence: str | bytes, *, source: object | None = None, record: object | None = None
) -> NDArray[np.uint8]:
    """Nucleotide ids (length,) of a DNA or RNA string in any case; IUPAC ambiguity codes give `UNK`.

    Raises:
        UserError: at the first letter that is neither a nucleotide nor an IUPAC code, with its
            1-based position, the letter, and the `source` and `record` it was read from.
    """
    raw = sequence.encode("utf-8", errors="replace") if isinstance(sequence, str) else sequence
    ids = bytearray(raw).translate(_ID_OF_BYTE_BYTES)
    first = ids.find(_INVALID)
    if first >= 0:
        raise UserError(
            f"letter {chr(raw[first])!r} at position {first + 1} is not a nucleotide",
            source=source,
            record=record,
            remedy="Allowed are A, C, G, T, U and the IUPAC codes NRYSWKMBDHV, in either case",
        )
    return np.frombuffer(ids, dtype=np.uint8)


def decode_nucleotides(ids: NDArray[np.uint8]) -> str:
    """The DNA string of ids 0 to 4; `UNK` is written N."""
    return _BYTE_OF_ID[ids].tobytes().decode("ascii")


def reverse_complement(ids: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """The opposite strand read in its own direction; special tokens keep their id."""
    return COMPLEMENT.take(ids[::-1])


def codon_ids(ids: NDArray[np.uint8]) -> NDArray[np.int16]:
    """Codon index 16a + 4b + c (num_codons,) of each complete triplet, -1 where a letter is no nucleotide.

    Nucleotides after the last complete codon are not read.
    """
    whole = ids[: len(ids) // 3 * 3]
    # Contiguous operations on every position, of which a third is kept, beat strided ones.
    index = (whole[:-2] << 4 | whole[1:-1] << 2 | whole[2:])[::3].astype(np.int16)
    if len(whole) and whole.max() >= UNK:
        index[(whole.reshape(-1, 3) >= UNK).any(axis=1)] = -1
    return index


def residue_ids(letters: bytes) -> NDArray[np.uint8]:
    """Index in `AMINO_ACIDS` of each residue (length,), 255 for letters outside the 20 + stop; read-only."""
    return np.frombuffer(letters.translate(_INDEX_OF_RESIDUE_BYTES), dtype=np.uint8)


def amino_acid_ids(protein: str) -> NDArray[np.int16]:
    """Index in `AMINO_ACIDS` of each residue (length,), `IGNORE` for letters outside the 20 + stop."""
    index = residue_ids(protein.encode("latin-1", errors="replace"))
    return np.where(index == _INVALID, np.int16(IGNORE), index.astype(np.int16))
