"""What a masked model is asked, whatever its family: log P of letters at some places of sequences.

Each family answers in a file of its own, for the readings that it has. A reading is what a sequence is given
as, and of what letters the model speaks:

- `codon`: nucleotide ids of whole codons (3L,); 64 columns in the order of `lifecode.alphabet.CODONS`.
- `translation`: the same; 21 columns, residues and stop in the order of `lifecode.alphabet.AMINO_ACIDS`, by a
  head that translates.
- `residue`: ASCII codes of a protein (L,); the same 21 columns, -inf where the model has no such letter.
- `nucleotide`: nucleotide ids of any stretch of DNA (N,); 4 columns.
"""

from collections.abc import Sequence
from typing import Literal, Protocol

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

MaskedReading = Literal["codon", "translation", "residue", "nucleotide"]


class MaskedReader(Protocol):
    """A model as one reading has it.

    Attributes:
        name: of the reading, for people: `codons`, `nucleotides, 3 frames`.
        columns: letters that it speaks of.
        letters_per_place: ids of a sequence that one place has, 3 for codons.
        longest: places that it reads at once; None for any number.
        places_per_call: about so many, over all sequences, are best given at once; only speed depends on it.
    """

    name: str
    columns: int
    letters_per_place: int
    longest: int | None
    places_per_call: int

    def log_probabilities(
        self,
        sequences: Sequence[NDArray[np.uint8]],
        masked: Sequence[Sequence[int]],
        read: Sequence[Sequence[int]],
    ) -> list[Tensor]:
        """log P of every letter, in nats, at some places of each sequence.

        Args:
            sequences: ids, as the reading says.
            masked: places of each that are masked together; none reads the sequence as it is.
            read: places of each that are read back.

        Returns:
            For each sequence (len(read), columns), as the model has it: over all its tokens, special ones
            too.
        """
        ...


class MaskedModel(Protocol):
    """A model of a family that can be asked."""

    def masked_reader(self, reading: MaskedReading) -> MaskedReader | None:
        """The model in this reading; None where its family has no such reading."""
        ...
