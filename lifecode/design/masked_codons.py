"""What a masked model expects at masked codons of sequences that are otherwise known."""

from collections.abc import Callable, Sequence
from functools import partial

import numpy as np
import torch
from numpy.typing import NDArray

from lifecode.alphabet import MASK, NUM_CODONS
from lifecode.evaluation.masked_genes import in_row, packed_rows
from lifecode.models.life_code.evaluation_mode import in_evaluation
from lifecode.models.life_code.model import LifeCode

MASKED = -1
"""Stands for a masked codon among codon ids."""
MAX_CODONS = 4096
"""Of a packed row: larger ones are slower on a CPU, for want of cache."""
STRIDE = 10
"""A sequence is scored with every tenth codon masked at a time."""
ReadMasked = Callable[
    [Sequence[NDArray[np.integer]], Sequence[NDArray[np.integer]]], list[NDArray[np.float64]]
]
"""Codon ids with masked ones, and positions of each sequence, to log P (n, 64) at these."""


@torch.inference_mode()
def masked_log_probabilities(
    model: LifeCode, sequences: Sequence[NDArray[np.integer]], at: Sequence[NDArray[np.integer]]
) -> list[NDArray[np.float64]]:
    """log P (n, 64) of the codons at some positions (n,) of each sequence.

    Args:
        model: read as in evaluation mode.
        sequences: codon ids (L,) of each, `MASKED` where masked.
        at: positions of each that are read.
    """
    reader = in_evaluation(model)
    ids = [_nucleotides(codons) for codons in sequences]
    places = [np.asarray(own, dtype=np.int64) for own in at]
    read: dict[int, NDArray[np.float64]] = {}
    for row, packed in packed_rows(ids, MAX_CODONS):
        embeddings = reader.codon_projection(reader.encode(packed))
        positions = in_row(packed, [places[i] for i in row]).to(embeddings.device)
        borders = packed.cu_seqlens.to(embeddings.device)
        logits = reader.codec.codon_log_probabilities(embeddings, borders, positions).double().cpu().numpy()
        ends = np.cumsum([len(places[i]) for i in row])[:-1]
        read |= dict(zip(row, np.split(logits, ends), strict=True))
    return [read[i] for i in range(len(ids))]


def strided_log_probabilities(
    model: LifeCode, sequences: Sequence[NDArray[np.integer]], stride: int = STRIDE
) -> list[NDArray[np.float64]]:
    """log P (L, 64) at every codon of each sequence, every `stride`-th masked at a time.

    A sequence of L codons is read `stride` times, not L times as by `LifeCode.masked_logits`; with `stride` L
    the two are the same.
    """
    return strided(partial(masked_log_probabilities, model), sequences, stride)


def strided(
    read: ReadMasked, sequences: Sequence[NDArray[np.integer]], stride: int = STRIDE
) -> list[NDArray[np.float64]]:
    """The same by whatever reads masked codons."""
    copies, at, owners = [], [], []
    for number, codons in enumerate(sequences):
        for first in range(min(stride, len(codons))):
            places = np.arange(first, len(codons), stride)
            copy = np.array(codons)
            copy[places] = MASKED
            copies.append(copy)
            at.append(places)
            owners.append(number)
    result = [np.empty((len(codons), NUM_CODONS)) for codons in sequences]
    for number, places, logits in zip(owners, at, read(copies, at), strict=True):
        result[number][places] = logits
    return result


def _nucleotides(codons: NDArray[np.integer]) -> NDArray[np.uint8]:
    """Nucleotide ids (3L,) of codon ids (L,)."""
    known = np.asarray(codons, dtype=np.int64)
    triplets = np.stack([known >> 4, (known >> 2) & 3, known & 3], axis=1).astype(np.uint8)
    triplets[known == MASKED] = MASK
    return triplets.reshape(-1)
