"""LucaOne as the task layer reads it: a position is a letter, of a nucleic acid or of a protein.

A sequence that is longer than the model reads at once is read in overlapping windows, of which all but the
first keep their second half; its state of the whole is the mean of its windows'.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from lifecode.errors import UserError
from lifecode.models.layers.norm import at_least_fp32
from lifecode.models.luca_one.model import LucaOne
from lifecode.models.luca_one.rows import NUM_SPECIAL, TokenRow, Tokens, pack_tokens, windows
from lifecode.models.luca_one.vocabulary import NO_NUCLEOTIDE, Kind, tokens_of_letters, tokens_of_nucleotides
from lifecode.tasks.examples.labels import Unit
from lifecode.tasks.examples.molecule import Molecule, decoded
from lifecode.tasks.families.family_reading import require_layer
from lifecode.tasks.families.place import FrameReading, Place
from lifecode.tasks.families.position_index import NOTHING, num_positions

_LETTERS_OF_CODON = 3


@dataclass(frozen=True, slots=True)
class WindowedRow:
    """Windows of sequences in one row, and which of their states are those of the sequences.

    Attributes:
        tokens: the windows (W).
        kept: (L,) numbers of the states that stay, in the order of the sequences; int64.
        sequence_of: (W,) number of the sequence of each window; int64.
        cu_seqlens: (S + 1,) borders of the sequences among the states that stay.
    """

    tokens: TokenRow
    kept: Tensor
    sequence_of: Tensor
    cu_seqlens: Tensor

    def to(self, device: torch.device | str) -> "WindowedRow":
        """The same row on another device."""
        return WindowedRow(
            self.tokens.to(device),
            self.kept.to(device),
            self.sequence_of.to(device),
            self.cu_seqlens.to(device),
        )


def _kind_of(segment: NDArray[np.uint8]) -> Kind:
    """By its tokens, of which the two kinds share none."""
    return "protein" if (segment > NO_NUCLEOTIDE).any() else "nucleic acid"


@dataclass(frozen=True, slots=True)
class LucaOneReading:
    """As `lifecode.tasks.families.family_reading.FamilyReading`.

    Attributes:
        molecule: what the sequences are.
        max_letters: that are read at once.
    """

    molecule: Molecule
    max_letters: int

    @property
    def weights_read(self) -> tuple[str, ...]:
        """Embeddings and stack."""
        return ("embedding.", "encoder.")

    def frames(self, asked: FrameReading | None, unit: Unit, key: str) -> FrameReading:
        """0: letters have no reading frames.

        Raises:
            UserError: others are asked for.
        """
        if asked not in (None, 0):
            raise UserError(
                f"is {asked}, and the model reads single letters, which have no reading frames",
                source=key,
                remedy="Leave it out",
            )
        return 0

    def segments(self, sequence: NDArray[np.uint8], frames: FrameReading) -> list[NDArray[np.uint8]]:
        """Token ids."""
        if self.molecule == "protein":
            return [tokens_of_letters(decoded(sequence, "protein"), "protein")]
        return [tokens_of_nucleotides(sequence)]

    def num_states(self, segment: NDArray[np.uint8]) -> int:
        """Letters, `[CLS]` and `[SEP]`."""
        return len(segment) + NUM_SPECIAL

    def pack(self, segments: Sequence[NDArray[np.uint8]]) -> WindowedRow:
        """Segments in one row, long ones as windows; nucleic acids and proteins may stand side by side."""
        read, kept, sequence_of = [], [], []
        start = 0
        for number, segment in enumerate(segments):
            own = list(windows(len(segment), self.max_letters))
            for place, window in enumerate(own):
                first = window.kept - window.start
                size = window.end - window.start
                read.append(Tokens(segment[window.start : window.end], _kind_of(segment)))
                sequence_of.append(number)
                begin = start if place == 0 else start + 1 + first
                end = start + 1 + size + (place == len(own) - 1)
                kept.append(np.arange(begin, end))
                start += size + NUM_SPECIAL
        borders = np.cumsum([0, *(len(segment) + NUM_SPECIAL for segment in segments)], dtype=np.int32)
        return WindowedRow(
            pack_tokens(read),
            torch.from_numpy(np.concatenate(kept)),
            torch.tensor(sequence_of),
            torch.from_numpy(borders),
        )

    def states(
        self, model: LucaOne, row: WindowedRow, place: Place, layer_weights: Tensor | None = None
    ) -> Tensor:
        """(L, d) of letters."""
        row = row.to(model.embedding.tokens.weight.device)
        tokens = row.tokens
        hidden = at_least_fp32(
            model.encoder(
                model.embedding(tokens.ids, tokens.molecules),
                tokens.cu_seqlens,
                num_layers=place.layer,
                layer_weights=layer_weights,
            )
        )
        num_sequences = len(row.cu_seqlens) - 1
        if len(row.sequence_of) == num_sequences:
            return hidden
        firsts = hidden[tokens.cu_seqlens[:-1].long()]
        count = torch.bincount(row.sequence_of, minlength=num_sequences)[:, None]
        total = firsts.new_zeros(num_sequences, firsts.shape[1]).index_add(0, row.sequence_of, firsts)
        return hidden[row.kept].index_copy(0, row.cu_seqlens[:-1].long(), total / count)

    def require_place(self, model: LucaOne, place: Place, key: str) -> None:
        """Raises a `UserError` where the model has fewer layers, or for an output projection."""
        require_layer(model, place, key)
        if place.projected:
            raise UserError(
                "is true, and the model has no output projection",
                source=f"{key}.projected",
                remedy="Leave it out",
            )

    def num_blocks(self, unit: Unit, frames: FrameReading) -> int:
        """One of letters, three of codons: the states of its letters."""
        return _LETTERS_OF_CODON if unit == "codon" else 1

    def position_states(
        self, num_letters: int, unit: Unit, frames: FrameReading, window: int
    ) -> NDArray[np.int64]:
        """Of a codon those of its three letters, each with the states around it."""
        step = _LETTERS_OF_CODON if unit == "codon" else 1
        letters = step * np.arange(num_positions(num_letters, unit))[:, None] + np.arange(step)
        wanted = letters[..., None] + np.arange(window) - (window - 1) // 2
        return np.where((wanted >= 0) & (wanted < num_letters), 1 + wanted, NOTHING)

    def notes(self, sequences: Sequence[NDArray[np.uint8]]) -> list[str]:
        """How sequences are read that are longer than the model."""
        longer = sum(len(sequence) > self.max_letters for sequence in sequences)
        if not longer:
            return []
        return [
            f"{longer:,} sequences of more than {self.max_letters:,} letters are read in overlapping "
            "windows, of which all but the first keep their second half"
        ]
