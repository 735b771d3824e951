"""What a masked model expects at masked codons of sequences that are otherwise known."""

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from lifecode.alphabet import NUM_CODONS
from lifecode.errors import UserError
from lifecode.models.saved import SavedModel

MASKED = -1
"""Stands for a masked codon among codon ids."""
_STRIDE = 10
"""A sequence is scored with every tenth codon masked at a time."""
ReadMasked = Callable[
    [Sequence[NDArray[np.integer]], Sequence[NDArray[np.integer]]], list[NDArray[np.float64]]
]
"""Codon ids with masked ones, and positions of each sequence, to log P (n, 64) at these."""


def masked_log_probabilities(
    model: SavedModel, sequences: Sequence[NDArray[np.integer]], at: Sequence[NDArray[np.integer]]
) -> list[NDArray[np.float64]]:
    """log P (n, 64) of the codons at some positions (n,) of each sequence.

    Of a model that speaks of single nucleotides alone, all three of a codon are masked, and log P is the sum
    over them, of A, C, G and T alone, so that the 64 codons share all probability.

    Args:
        model: read as in evaluation mode.
        sequences: codon ids (L,) of each, `MASKED` where masked.
        at: positions of each that are read.

    Raises:
        UserError: the family fills in no codons, or a sequence is longer than the model reads at once.
    """
    reader = model.masked_reader("codon") or model.masked_reader("nucleotide")
    if reader is None:
        raise UserError(f"a model of family {model.family} fills in no codons", source="model")
    size = 3 // reader.letters_per_place  # places of a codon
    longest = size * max(map(len, sequences), default=0)
    if reader.longest is not None and longest > reader.longest:
        raise UserError(
            f"genes have {longest:,} nucleotides, and the model reads {reader.longest:,} at once",
            remedy=f"Give at most {reader.longest // size} codons, context included (kind.max_codons)",
        )
    masked = [_places(np.flatnonzero(np.asarray(codons) < 0), size) for codons in sequences]
    read = [_places(positions, size) for positions in at]
    log_p = reader.log_probabilities(list(map(_nucleotides, sequences)), masked, read)
    return [_of_codons(rows, size) for rows in log_p]


class Context(NamedTuple):
    """Codon ids that are read with a sequence, as if they were one, and not asked about."""

    before: NDArray[np.integer]
    behind: NDArray[np.integer]


NO_CONTEXT = Context(np.empty(0, np.int64), np.empty(0, np.int64))


def strided_log_probabilities(
    model: SavedModel,
    sequences: Sequence[NDArray[np.integer]],
    stride: int = _STRIDE,
    contexts: Sequence[Context] | None = None,
) -> list[NDArray[np.float64]]:
    """log P (L, 64) at every codon of each sequence, every `stride`-th masked at a time.

    A sequence of L codons is read `stride` times, not L times as by `LifeCode.masked_logits`; with `stride` L
    the two are the same.

    Args:
        model: as of `masked_log_probabilities`.
        sequences: codon ids (L,) of each.
        stride: every so many codons one is masked at a time.
        contexts: of each sequence; None: none.
    """
    copies, at, asked = [], [], []
    for number, codons in enumerate(sequences):
        before, behind = contexts[number] if contexts else NO_CONTEXT
        for first in range(min(stride, len(codons))):
            places = np.arange(first, len(codons), stride)
            copy = np.array(codons)
            copy[places] = MASKED
            copies.append(np.concatenate([before, copy, behind]))
            at.append(len(before) + places)
            asked.append((number, places))
    result = [np.empty((len(codons), NUM_CODONS)) for codons in sequences]
    for (number, places), log_p in zip(asked, masked_log_probabilities(model, copies, at), strict=True):
        result[number][places] = log_p
    return result


def _places(positions: NDArray[np.integer], size: int) -> list[int]:
    """Those of codons, each of so many places."""
    first = size * np.asarray(positions, dtype=np.int64)
    return (first[:, None] + np.arange(size)).ravel().tolist()


def _nucleotides(codons: NDArray[np.integer]) -> NDArray[np.uint8]:
    """Nucleotide ids (3L,) of codon ids (L,), anything where masked."""
    known = np.maximum(np.asarray(codons, dtype=np.int64), 0)
    return np.stack([known >> 4, (known >> 2) & 3, known & 3], axis=1).astype(np.uint8).reshape(-1)


def _of_codons(log_p: Tensor, size: int) -> NDArray[np.float64]:
    """log P (n, 64) of that at the places of n codons."""
    if size == 1:
        return log_p.double().cpu().numpy()
    of_letters = log_p.double().log_softmax(-1).cpu().numpy().reshape(-1, 3, 4)
    first, second, third = of_letters[:, 0], of_letters[:, 1], of_letters[:, 2]
    return (first[:, :, None, None] + second[:, None, :, None] + third[:, None, None, :]).reshape(-1, 64)
