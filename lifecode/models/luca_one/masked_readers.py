"""LucaOne as a masked model: residues of proteins, and single nucleotides of genes."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from lifecode.alphabet import AMINO_ACIDS, NUCLEOTIDES
from lifecode.data.batches.packing import consecutive_rows
from lifecode.models.life_code.evaluation_mode import in_evaluation, undisturbed
from lifecode.models.luca_one.rows import NUM_SPECIAL, Tokens, pack_tokens
from lifecode.models.luca_one.vocabulary import (
    MASK,
    Kind,
    tokens_of_letters,
    tokens_of_nucleotides,
)
from lifecode.models.masked_reading import MaskedReading


def masked_reader(model: nn.Module, reading: MaskedReading) -> "LetterReader | None":
    """The model in a reading; see `lifecode.models.masked_reading`."""
    if reading == "residue":
        return LetterReader(
            model, "residues", "protein", AMINO_ACIDS, lambda ids: tokens_of_letters(ids.tobytes(), "protein")
        )
    if reading == "nucleotide":
        return LetterReader(model, "nucleotides", "nucleic acid", NUCLEOTIDES, tokens_of_nucleotides)
    return None


class LetterReader:
    """log P of letters at letters of one kind of molecule; see `MaskedReader`.

    Args:
        model: a LucaOne.
        name: of the reading.
        kind: of the molecule.
        letters: of the columns.
        tokens_of: tokens (L,) of the ids of a sequence.
    """

    letters_per_place, places_per_call = 1, 4096

    def __init__(
        self,
        model: Any,
        name: str,
        kind: Kind,
        letters: str,
        tokens_of: Callable[[NDArray[np.uint8]], NDArray[np.uint8]],
    ) -> None:
        self.name, self.columns = name, len(letters)
        self.longest: int | None = model.max_letters
        self._kind: Kind = kind
        self._model, self._tokens_of = in_evaluation(model), tokens_of
        self._own = torch.from_numpy(tokens_of_letters(letters, kind).astype(np.int64))

    @undisturbed
    def log_probabilities(
        self,
        sequences: Sequence[NDArray[np.uint8]],
        masked: Sequence[Sequence[int]],
        read: Sequence[Sequence[int]],
    ) -> list[Tensor]:
        """Over all 39 tokens of the vocabulary, of which the columns are some."""
        copies = [self._with_mask(ids, own) for ids, own in zip(sequences, masked, strict=True)]
        found: list[Tensor] = []
        lengths = [len(tokens.ids) + NUM_SPECIAL for tokens in copies]
        for part in consecutive_rows(lengths, self.places_per_call):
            row = pack_tokens(copies[part])
            starts = row.cu_seqlens[:-1].tolist()
            at = [start + 1 + i for start, own in zip(starts, read[part], strict=True) for i in own]
            hidden = self._model.encode(row)
            said = self._model.language_logits(hidden[torch.tensor(at, device=hidden.device)])
            rows = said.log_softmax(-1)[:, self._own.to(hidden.device)]
            found += rows.split([len(own) for own in read[part]])
        return found

    def _with_mask(self, ids: NDArray[np.uint8], places: Sequence[int]) -> Tokens:
        tokens = self._tokens_of(ids).copy()
        tokens[list(places)] = MASK
        return Tokens(tokens, self._kind)
