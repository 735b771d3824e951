"""Packing: several sequences in one row, the only layout the model knows.

A packed row is `[CLS] codons [SEP] [CLS] codons [SEP] …`, each special token three ids wide, with the
segment borders in codons beside it. Packing is invisible: no part of the model sees across a border.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from lifecode.alphabet import CLS, SEP, UNK, as_sequences, encode_nucleotides, require_nucleotide_ids

NUM_SPECIAL_CODONS = 2
"""`[CLS]` and `[SEP]`, one codon each, around every segment."""


@dataclass(frozen=True, slots=True)
class Packed:
    """Sequences packed into one row.

    Attributes:
        ids: nucleotide ids (3L,), uint8.
        cu_seqlens: segment borders in codons (S + 1,), int32, special tokens included.
    """

    ids: Tensor
    cu_seqlens: Tensor

    @property
    def num_codons(self) -> int:
        """L, special tokens included."""
        return len(self.ids) // 3

    def to(self, device: torch.device | str) -> "Packed":
        """The same row on another device."""
        return Packed(self.ids.to(device), self.cu_seqlens.to(device))


def whole_codons(ids: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """The ids, padded on the right with `[UNK]` to a multiple of three."""
    missing = -len(ids) % 3
    return np.pad(ids, (0, missing), constant_values=UNK) if missing else ids


def pack(sequences: Iterable[Any]) -> Packed:
    """Packs DNA or RNA sequences, or arrays of nucleotide ids, into one row.

    Args:
        sequences: one or several, as for `alphabet.as_sequences` and `alphabet.letters_of`, or arrays of ids.

    Raises:
        UserError: a letter that is no nucleotide, or no sequence; the message names its index.
    """
    pieces: list[NDArray[np.uint8]] = []
    num_codons = []
    for index, sequence in enumerate(as_sequences(sequences)):
        if isinstance(sequence, np.ndarray) and sequence.ndim:
            require_nucleotide_ids(sequence, record=index)
            ids = sequence.astype(np.uint8, copy=False)
        else:
            ids = encode_nucleotides(sequence, record=index)
        ids = whole_codons(ids)
        pieces += [np.full(3, CLS, np.uint8), ids, np.full(3, SEP, np.uint8)]
        num_codons.append(len(ids) // 3 + NUM_SPECIAL_CODONS)
    ids = np.concatenate(pieces) if pieces else np.empty(0, np.uint8)
    borders = np.concatenate([[0], np.cumsum(num_codons)]).astype(np.int32)
    return Packed(torch.from_numpy(ids), torch.from_numpy(borders))


def consecutive_rows(num_codons: Sequence[int] | NDArray[np.int64], max_codons: int) -> Iterator[slice]:
    """Distributes segments over rows in their order, a longer one in a row of its own.

    Args:
        num_codons: length of each segment, special tokens included.
        max_codons: budget of a row.

    Yields:
        The segments of each row.
    """
    first, room = 0, max_codons
    for index, size in enumerate(num_codons):
        if index > first and size > room:
            yield slice(first, index)
            first, room = index, max_codons
        room -= size
    if first < len(num_codons):
        yield slice(first, len(num_codons))


def fill_rows(num_codons: NDArray[np.int64], max_codons: int) -> list[list[int]]:
    """Distributes segments over rows of at most `max_codons`: best fit, longest first.

    Args:
        num_codons: length of each segment, special tokens included, none above `max_codons`.
        max_codons: budget of a row.

    Returns:
        The segment indices of each row; every segment is in exactly one row.
    """
    rows: list[list[int]] = []
    room: list[int] = []
    rows_with_room: list[list[int]] = [[] for _ in range(max_codons + 1)]
    fullest_first = np.zeros(max_codons + 1, dtype=bool)
    for index in np.argsort(-num_codons, kind="stable"):
        size = int(num_codons[index])
        fits = int(np.argmax(fullest_first[size:])) + size if fullest_first[size:].any() else None
        if fits is None:
            row = len(rows)
            rows.append([])
            room.append(max_codons)
        else:
            row = rows_with_room[fits].pop()
            fullest_first[fits] = bool(rows_with_room[fits])
        rows[row].append(int(index))
        room[row] -= size
        rows_with_room[room[row]].append(row)
        fullest_first[room[row]] = True
    return rows
