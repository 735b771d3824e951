"""Life-Code as a masked model: codons of a CDS, their residues by the translator, nucleotides of DNA windows.

Nucleotides are read as masked modelling of DNA windows has them: masked one by one and read through the
de-tokenizer. As nothing says where a codon of such a window begins, it is read in all three frames, and the
mean of log P over the frames is made a distribution again.
"""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from lifecode.alphabet import MASK, NUCLEOTIDES, NUM_AMINO_ACIDS, NUM_CODONS
from lifecode.data.batches.packing import NUM_SPECIAL_CODONS, Packed, consecutive_rows, pack
from lifecode.models.layers.norm import at_least_fp32
from lifecode.models.life_code.evaluation_mode import in_evaluation, undisturbed
from lifecode.models.life_code.frames import NUM_FRAMES, in_three_frames
from lifecode.models.masked_reading import MaskedReading

_CODONS_PER_CALL, _CODONS_PER_CALL_OF_A_CPU = 16_384, 4096
"""Of a packed row; only memory and speed depend on it."""


def masked_reader(model: nn.Module, reading: MaskedReading) -> "CodonReader | NucleotideReader | None":
    """The model in a reading; see `lifecode.models.masked_reading`."""
    if reading == "codon":
        return CodonReader(model)
    if reading == "nucleotide":
        return NucleotideReader(model)
    has_translator = reading == "translation" and model.get_submodule("codec").translator is not None
    return TranslationReader(model) if has_translator else None


class _Reader:
    """A model in evaluation mode, and how much of a row it is given at once."""

    longest: int | None = None

    def __init__(self, model: nn.Module) -> None:
        self._model: Any = in_evaluation(model)
        on_cpu = next(model.parameters()).device.type == "cpu"
        self.places_per_call = _CODONS_PER_CALL_OF_A_CPU if on_cpu else _CODONS_PER_CALL

    @undisturbed
    def _read(
        self,
        sequences: Sequence[NDArray[np.uint8]],
        places: Sequence[Sequence[int]],
        said_of: Callable[[Tensor, Tensor, Tensor], Tensor],
        size: int,
    ) -> list[Tensor]:
        """What is `said_of` embeddings (L, codon_dim), borders in codons, and places, for each sequence.

        Args:
            sequences: nucleotide ids of whole codons, masked.
            places: of each, counted in letters of `size` nucleotides.
            said_of: gives a row for each place of a packed row.
            size: 3 for codons, 1 for nucleotides.
        """
        found: list[Tensor] = []
        lengths = [len(ids) // 3 + NUM_SPECIAL_CODONS for ids in sequences]
        for copies in consecutive_rows(lengths, self.places_per_call):
            packed = pack(sequences[copies])
            embeddings = self._model.codon_projection(self._model.encode(packed))
            at = _in_row(packed, places[copies], 3 // size).to(embeddings.device)
            rows = said_of(embeddings, packed.cu_seqlens.to(embeddings.device), at)
            found += rows.split([len(own) for own in places[copies]])
        return found


class CodonReader(_Reader):
    """log P of the 64 codons at codons of a CDS."""

    name, columns, letters_per_place = "codons", NUM_CODONS, 3

    def log_probabilities(
        self,
        sequences: Sequence[NDArray[np.uint8]],
        masked: Sequence[Sequence[int]],
        read: Sequence[Sequence[int]],
    ) -> list[Tensor]:
        """See `MaskedReader`."""
        copies = [_with_mask(ids, own, 3) for ids, own in zip(sequences, masked, strict=True)]
        return self._read(copies, read, self._said_of, 3)

    def _said_of(self, embeddings: Tensor, borders: Tensor, at: Tensor) -> Tensor:
        return self._model.codec.codon_log_probabilities(embeddings, borders, at)


class TranslationReader(CodonReader):
    """log P of residues and stop at codons of a CDS, by the translator."""

    name, columns = "residues by the translator", NUM_AMINO_ACIDS

    def _said_of(self, embeddings: Tensor, borders: Tensor, at: Tensor) -> Tensor:
        return at_least_fp32(self._model.codec.translator(embeddings[at])).log_softmax(-1)


class NucleotideReader(_Reader):
    """log P of the four nucleotides at those of a stretch of DNA, averaged over three frames."""

    name, columns, letters_per_place = f"nucleotides, {NUM_FRAMES} frames", len(NUCLEOTIDES), 1

    @undisturbed
    def log_probabilities(
        self,
        sequences: Sequence[NDArray[np.uint8]],
        masked: Sequence[Sequence[int]],
        read: Sequence[Sequence[int]],
    ) -> list[Tensor]:
        """See `MaskedReader`."""
        copies = [
            frame
            for ids, own in zip(sequences, masked, strict=True)
            for frame in in_three_frames(_with_mask(ids, own, 1))
        ]
        places = [[shift + place for place in own] for own in read for shift in range(NUM_FRAMES)]
        rows = self._read(copies, places, self._said_of, 1)
        frames = [rows[first : first + NUM_FRAMES] for first in range(0, len(rows), NUM_FRAMES)]
        return [torch.stack(own).mean(0).log_softmax(-1) for own in frames]

    def _said_of(self, embeddings: Tensor, borders: Tensor, at: Tensor) -> Tensor:
        logits = at_least_fp32(self._model.codec.detokenizer(embeddings, borders)[at])
        return logits[:, : len(NUCLEOTIDES)].log_softmax(-1)


def _with_mask(ids: NDArray[np.uint8], places: Sequence[int], size: int) -> NDArray[np.uint8]:
    masked = ids.copy()
    masked.reshape(-1, size)[list(places)] = MASK
    return masked


def _in_row(packed: Packed, places: Sequence[Sequence[int]], letters_per_codon: int) -> Tensor:
    """Where places of each segment lie in the row, counted in letters, behind its `[CLS]`."""
    starts = packed.cu_seqlens[:-1].tolist()
    first = [letters_per_codon * (start + 1) for start in starts]
    flat = [start + place for start, own in zip(first, places, strict=True) for place in own]
    return torch.tensor(flat, dtype=torch.long)
