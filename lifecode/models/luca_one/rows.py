"""Packed rows of tokens, and the windows in which a sequence is read that is longer than the model.

A row is `[CLS] letters [SEP] [CLS] letters [SEP] …` with a molecule type for each position and the borders of
the segments. Nothing is padded: what transformers would pad to one length lies side by side.
"""

import warnings
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from lifecode.models.luca_one.vocabulary import CLS, NUMBER_OF_KIND, SEP, Kind

NUM_SPECIAL = 2
"""`[CLS]` and `[SEP]` around every segment."""


class Tokens(NamedTuple):
    """A sequence as the model reads it: ids (n,) uint8 without special tokens, and what molecule it is."""

    ids: NDArray[np.uint8]
    kind: Kind


@dataclass(frozen=True, slots=True)
class TokenRow:
    """Sequences packed into one row.

    Attributes:
        ids: token ids (T,), uint8, special tokens included.
        molecules: row of the type embedding for each position (T,), uint8.
        cu_seqlens: segment borders (S + 1,), int32.
    """

    ids: Tensor
    molecules: Tensor
    cu_seqlens: Tensor

    def to(self, device: torch.device | str) -> "TokenRow":
        """The same row on another device."""
        return TokenRow(self.ids.to(device), self.molecules.to(device), self.cu_seqlens.to(device))


class Window(NamedTuple):
    """Letters `start` to `end` that are read together, of which those from `kept` on are kept."""

    start: int
    end: int
    kept: int


def pack_tokens(sequences: Sequence[Tokens]) -> TokenRow:
    """Puts `[CLS]` and `[SEP]` around each sequence, and all of them into one row."""
    pieces = [np.array([CLS, *tokens.ids, SEP], dtype=np.uint8) for tokens in sequences]
    lengths = [len(piece) for piece in pieces]
    molecules = np.array([NUMBER_OF_KIND[tokens.kind] for tokens in sequences], dtype=np.uint8)
    ids = np.concatenate(pieces) if pieces else np.empty(0, np.uint8)
    borders = np.concatenate([[0], np.cumsum(lengths)]).astype(np.int32)
    return TokenRow(
        torch.from_numpy(ids), torch.from_numpy(np.repeat(molecules, lengths)), torch.from_numpy(borders)
    )


def windows(num_letters: int, longest: int) -> Iterator[Window]:
    """Overlapping windows of a sequence that keep each letter once; one window if the sequence is short.

    All but the first keep their second half; the last ends with the sequence and keeps what is left.

    >>> list(windows(7, 4))
    [Window(start=0, end=4, kept=0), Window(start=2, end=6, kept=4), Window(start=3, end=7, kept=6)]
    """
    yield Window(0, end := min(num_letters, longest), 0)
    while end < num_letters:
        start, kept = end - longest // 2, end
        start = min(start, num_letters - longest)
        yield Window(start, end := start + longest, kept)


def say_of_long_ones(sequences: Sequence[Tokens], longest: int) -> None:
    """A Python warning, for the caller of the model's method, of how longer sequences will be read."""
    if any(len(tokens.ids) > longest for tokens in sequences):
        warnings.warn(
            f"a sequence longer than {longest:,} letters is read in overlapping windows of {longest:,}, "
            "of which all but the first keep their second half",
            stacklevel=4,  # this, the method, what keeps it `undisturbed`, the caller
        )
