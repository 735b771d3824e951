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
from torch import Tensor, nn

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


class NucleotideStates(nn.Module):
    """States of single nucleotides from the hidden states of codons: `Linear(d -> 3 d_nt)`, unfolded.

    Args:
        width: d of the hidden states.
        nucleotide_dim: d_nt.
    """

    def __init__(self, width: int, nucleotide_dim: int) -> None:
        super().__init__()
        self.unfold = nn.Linear(width, 3 * nucleotide_dim)

    def forward(self, hidden: Sequence[Tensor], num_nucleotides: int) -> Tensor:
        """Averages (n, d_nt) over the hidden states (codons, d) of the three frames of one sequence."""
        return averaged_over_frames(
            [self.unfold(x).unflatten(-1, (3, -1)).flatten(0, 1) for x in hidden], num_nucleotides
        )
