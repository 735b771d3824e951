"""Which states of codons belong to which position of a sequence, where each has a label of its own.

A codon has its own state. A nucleotide lies in a codon of each reading frame that is read, once as its first
letter, once as its second, once as its third: the states stand in this order, so that a linear head can tell
the three apart.
"""

import numpy as np
from numpy.typing import NDArray

from lifecode.models.life_code.frames import NUM_FRAMES
from lifecode.tasks.examples.labels import Unit
from lifecode.tasks.families.place import FrameReading

NOTHING = -1
"""In place of the number of a state: zeros."""


def num_positions(num_letters: int, unit: Unit) -> int:
    """Positions with a label in a sequence of so many nucleotides or residues."""
    return num_letters // 3 if unit == "codon" else num_letters


def state_index(num_nucleotides: int, unit: Unit, frames: FrameReading, window: int = 1) -> NDArray[np.int64]:
    """Numbers (n, B, window) of states in the segments of a sequence, read one behind the other.

    B is 1 for codons. For nucleotides it is 3: by the place of the nucleotide in its codon, or for `average`
    by the frame. Frames that are not read and positions outside the sequence are `NOTHING`.

    Args:
        num_nucleotides: of the sequence.
        unit: `codon` or `nucleotide`.
        frames: as `StateFeatures` reads them; for codons 0.
        window: states around each position.
    """
    shifts = range(NUM_FRAMES) if frames in ("average", "stack") else [int(frames)]
    around = np.arange(window) - (window - 1) // 2
    positions = np.arange(num_positions(num_nucleotides, unit))
    index = np.full((len(positions), 1 if unit == "codon" else NUM_FRAMES, window), NOTHING)
    first = 0
    for shift in shifts:
        num_codons = -(-(num_nucleotides + shift) // 3)
        codon, place = (positions, 0 * positions) if unit == "codon" else divmod(positions + shift, 3)
        wanted = codon[:, None] + around
        block = np.full_like(place, shift) if frames == "average" else place
        inside = (wanted >= 0) & (wanted < num_codons)
        index[np.arange(len(positions)), block] = np.where(inside, first + 1 + wanted, NOTHING)
        first += num_codons + 2
    return index
