"""Sequences whose reading frame is unknown, read in all three frames (promoters, introns, variants).

A frame puts 0, 1 or 2 unknown nucleotides before the sequence, so that every nucleotide is in one codon of
each frame. The three frames of the reverse complement are then the reverse complements of the three frames,
whatever the length, so an average over them is as strand-symmetric as the model.
"""

from collections.abc import Sequence
from typing import Literal

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from lifecode.alphabet import UNK
from lifecode.data.batches.packing import whole_codons

NUM_FRAMES = 3
Frames = Literal[0, "average"]


def in_three_frames(ids: NDArray[np.uint8]) -> list[NDArray[np.uint8]]:
    """The sequence (n,) with 0, 1 and 2 unknown nucleotides before it, each padded to whole codons."""
    return [whole_codons(np.pad(ids, (shift, 0), constant_values=UNK)) for shift in range(NUM_FRAMES)]


def averaged_over_frames(states: Sequence[Tensor], num_nucleotides: int) -> Tensor:
    """One state per nucleotide: the mean of the three frames' states of it.

    Args:
        states: for each frame of `in_three_frames` the states of its nucleotides, (>= shift + n, d).
        num_nucleotides: n, of the sequence without what the frames added.

    Returns:
        (n, d).
    """
    inside = [frame[shift : shift + num_nucleotides] for shift, frame in enumerate(states)]
    return torch.stack(inside).mean(0)
