"""One alphabet for DNA, RNA and back-translated protein: nine nucleotide ids, 64 codons, 21 residues.

Every molecule becomes nucleotides (Life-Code A.2). Special tokens are written three times, one codon
wide, so that a packed row never loses its reading frame.
"""

import io
import os
from collections import UserString, deque
from collections.abc import Iterator, KeysView, ValuesView
from itertools import product
from typing import Any

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
NUCLEOTIDE_LETTERS = f"{NUCLEOTIDES}U{_IUPAC_AMBIGUOUS}"
"""What may stand for one nucleotide in DNA or RNA, in upper case."""
RESIDUE_LETTERS = f"{AMINO_ACIDS[:STOP]}UOBJXZ*"
"""What may stand in a protein: the 20 amino acids, two rarer ones, four letters for several, and the stop."""

_COMPLEMENT_BYTES = COMPLEMENT.tobytes().ljust(256, b"\xff")
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


def letters_of(sequence: Any, *, source: object | None = None, record: object | None = None) -> bytes:
    """The letters of one sequence: of a str, bytes, an array of one string, Biopython's Seq or SeqRecord.

    Raises:
        UserError: it is none of these, such as a list, a path or an array of numbers.
    """
    if isinstance(sequence, np.ndarray) and sequence.ndim == 0:
        sequence = sequence.item()
    if isinstance(sequence, bytes | bytearray | memoryview):
        return bytes(memoryview(sequence))  # of a subclass too its content, not its own bytes()
    if isinstance(sequence, UserString):
        sequence = sequence.data
    if isinstance(sequence, str):  # an Enum's member, say, whose own str() is its name
        return str.encode(sequence, "utf-8", "replace")
    try:
        if _has_letters(sequence):
            return bytes(sequence)
        problem = f"{type(sequence).__name__} is no sequence of letters"
    except (TypeError, ValueError) as error:  # Biopython's, of a sequence of known length alone
        problem = f"{type(sequence).__name__} has no letters ({error})"
    raise UserError(
        problem, source=source, record=record, remedy="Give text: a str, bytes, or a Seq or SeqRecord"
    )


def as_sequences(given: Any) -> list[Any]:
    """The sequences that a caller gave, one alone or several, as a list; never the letters of one.

    Raises:
        UserError: what is given is neither one sequence nor a list, tuple, iterator, one-dimensional array or
            series of them.
    """
    ndim = getattr(given, "ndim", None)
    if (
        isinstance(given, str | bytes | bytearray | memoryview | UserString)
        or ndim == 0
        or _has_letters(given)
    ):
        return [given]
    of_letters = isinstance(given, np.ndarray) and _are_single_letters(given)
    if ndim in (None, 1) and not of_letters and not isinstance(given, io.IOBase):
        if isinstance(given, _SEVERAL):
            return list(given)
        for name in ("to_list", "to_pylist"):  # a series of pandas or polars, an array of pyarrow
            if callable(getattr(given, name, None)):
                return list(getattr(given, name)())
    raise UserError(
        "single letters, where sequences belong"
        if of_letters
        else f"{type(given).__name__} is no sequence or list",
        remedy="Give one sequence as text, or a list of them, such as list(a_dict.values())",
    )


_SEVERAL = (list, tuple, deque, Iterator, KeysView, ValuesView, np.ndarray)


def _are_single_letters(array: NDArray[Any]) -> bool:
    """Whether a sequence was taken apart: an array of S1 or U1, or several items of one letter each."""
    if array.dtype in (np.dtype("S1"), np.dtype("U1")):
        return True
    texts = array.dtype.kind in "SUOT" and array.size > 1
    return texts and all(isinstance(item, str | bytes) and len(item) == 1 for item in array.flat)


def _has_letters(sequence: Any) -> bool:
    """Whether it is like Biopython's Seq and SeqRecord, which turn into bytes; so does a path."""
    return hasattr(type(sequence), "__bytes__") and not isinstance(sequence, os.PathLike)


def require_nucleotide_ids(ids: NDArray[Any], *, record: object | None = None) -> None:
    """Raises a UserError unless the array (length,) holds ids from 0 to 8."""
    if ids.ndim != 1 or ids.dtype.kind not in "ui" or (len(ids) and not 0 <= ids.min() <= ids.max() <= MASK):
        raise UserError(
            f"an array {list(ids.shape)} of {ids.dtype} does not hold nucleotide ids, which are 0 to {MASK}",
            record=record,
            remedy="Give text, or what encode_nucleotides makes of it",
        )


def encode_nucleotides(
    sequence: Any, *, source: object | None = None, record: object | None = None
) -> NDArray[np.uint8]:
    """Nucleotide ids (length,) of a DNA or RNA string in any case; IUPAC ambiguity codes give `UNK`.

    Args:
        sequence: as for `letters_of`.
        source: file it was read from, for the error.
        record: record in that file.

    Raises:
        UserError: at the first letter that is neither a nucleotide nor an IUPAC code, with its
            1-based position, the letter, and the `source` and `record` it was read from.
    """
    letters = (
        sequence
        if type(sequence) is bytearray  # as parsers give a genome: copied once, not three times
        else bytearray(letters_of(sequence, source=source, record=record))
    )
    ids = letters.translate(_ID_OF_BYTE_BYTES)
    first = ids.find(_INVALID)
    if first >= 0:
        raw = bytes(letters)
        letter = raw[first : first + 4].decode("utf-8", errors="replace")[0]
        letter = chr(raw[first]) if letter == "\ufffd" else letter  # Latin-1
        raise UserError(
            f"letter {letter!r} at position {first + 1} is not a nucleotide",
            source=source,
            record=record,
            remedy="Allowed are A, C, G, T, U and the IUPAC codes NRYSWKMBDHV, in either case",
        )
    return np.frombuffer(ids, dtype=np.uint8)


def decode_nucleotides(ids: NDArray[np.uint8]) -> str:
    """The DNA string of ids 0 to 4; `UNK` is written N."""
    return _BYTE_OF_ID[ids].tobytes().decode("ascii")


def complement(ids: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """The pairing nucleotides in the same order (length,); the fastest way for a long array."""
    return np.frombuffer(bytearray(ids).translate(_COMPLEMENT_BYTES), dtype=np.uint8)


def reverse_complement(ids: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """The opposite strand read in its own direction; special tokens keep their id."""
    return COMPLEMENT.take(ids[::-1])


def codon_ids(ids: NDArray[np.uint8]) -> NDArray[np.int16]:
    """Codon index 16a + 4b + c (num_codons,) of each complete triplet, -1 where a letter is no nucleotide.

    Nucleotides after the last complete codon are not read.

    Raises:
        UserError: the array holds no nucleotide ids, but text or its ASCII codes, say.
    """
    if ids.dtype != np.uint8:
        require_nucleotide_ids(ids)
    whole = ids[: len(ids) // 3 * 3]
    index = whole[::3] << 2
    index |= whole[1::3]
    index <<= 2
    index |= whole[2::3]
    index = index.astype(np.int16)
    if len(whole) and (largest := whole.max()) >= UNK:
        if largest > MASK:
            require_nucleotide_ids(ids)
        index[(whole.reshape(-1, 3) >= UNK).any(axis=1)] = -1
    return index


def residue_ids(letters: bytes) -> NDArray[np.uint8]:
    """Index in `AMINO_ACIDS` of each residue (length,), 255 for letters outside the 20 + stop; read-only."""
    return np.frombuffer(letters.translate(_INDEX_OF_RESIDUE_BYTES), dtype=np.uint8)


def amino_acid_ids(protein: Any) -> NDArray[np.int16]:
    """Index in `AMINO_ACIDS` of each residue (length,), `IGNORE` for letters outside the 20 + stop."""
    if isinstance(protein, str):  # one letter a character, whatever the character
        protein = str.encode(protein, "latin-1", "replace")
    index = residue_ids(letters_of(protein))
    return np.where(index == _INVALID, np.int16(IGNORE), index.astype(np.int16))
