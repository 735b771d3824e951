"""Whether sequences are coding ones in frame, or any DNA or RNA whose frame is unknown."""

from collections.abc import Sequence
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from lifecode.alphabet import codon_ids
from lifecode.genetic_code import genetic_code

Molecule = Literal["cds", "dna"]
_SHARE = 0.95
_BACTERIAL = 11


def molecule_of(sequences: Sequence[NDArray[np.uint8]]) -> Molecule:
    """`cds` where 95 % of the sequences are whole codons without a stop before the last one, else `dna`."""
    stops = genetic_code(_BACTERIAL).stops
    in_frame = [len(ids) % 3 == 0 and not stops[codon_ids(ids)[:-1]].any() for ids in sequences]
    return "cds" if np.mean(in_frame) >= _SHARE else "dna"
