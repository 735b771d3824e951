"""Life-Code as the task layer reads it: a position is a codon, in one reading frame or in all three.

A protein is read as codons, the most frequent one of E. coli for each residue.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from lifecode.alphabet import encode_nucleotides
from lifecode.data.batches.packing import NUM_SPECIAL_CODONS, Packed, pack, whole_codons
from lifecode.data.translation import reverse_translate
from lifecode.errors import UserError
from lifecode.models.layers.norm import at_least_fp32
from lifecode.models.life_code.frames import NUM_FRAMES, in_three_frames
from lifecode.models.life_code.model import LifeCode
from lifecode.models.life_code.strands import both_strands
from lifecode.tasks.examples.labels import Unit
from lifecode.tasks.examples.molecule import Molecule, decoded
from lifecode.tasks.families.family_reading import require_layer
from lifecode.tasks.families.place import FrameReading, Place
from lifecode.tasks.families.position_index import state_index


@dataclass(frozen=True, slots=True)
class LifeCodeReading:
    """As `lifecode.tasks.families.family_reading.FamilyReading`.

    Attributes:
        molecule: what the sequences are.
    """

    molecule: Molecule

    @property
    def weights_read(self) -> tuple[str, ...]:
        """Tokenizer and stack."""
        return ("codec.tokenizer.", "encoder.")

    def frames(self, asked: FrameReading | None, unit: Unit, key: str) -> FrameReading:
        """By default 0 of what is read in frame, and `stack` of any others.

        Raises:
            UserError: codons or proteins in another frame than the first.
        """
        if unit == "codon" or self.molecule == "protein":
            if asked not in (None, 0):
                said = "task.unit is codon" if unit == "codon" else "proteins are read in their own frame"
                raise UserError(f"is {asked}, and {said}", source=key, remedy="Use 0")
            return 0
        return asked if asked is not None else 0 if self.molecule == "cds" else "stack"

    def segments(self, sequence: NDArray[np.uint8], frames: FrameReading) -> list[NDArray[np.uint8]]:
        """Nucleotide ids of whole codons."""
        if self.molecule == "protein":
            sequence = encode_nucleotides(reverse_translate(decoded(sequence, "protein")))
        if frames == 0:
            return [whole_codons(sequence)]
        three = in_three_frames(sequence)
        return three if frames in ("average", "stack") else [three[int(frames)]]

    def num_states(self, segment: NDArray[np.uint8]) -> int:
        """Codons, `[CLS]` and `[SEP]`."""
        return len(segment) // 3 + NUM_SPECIAL_CODONS

    def pack(self, segments: Sequence[NDArray[np.uint8]]) -> Packed:
        """Segments in one row."""
        return pack(segments)

    def states(
        self, model: LifeCode, row: Packed, place: Place, layer_weights: Tensor | None = None
    ) -> Tensor:
        """(L, D) of codons, with the states of both strands side by side before the projection."""
        return read_states(model, row, place, layer_weights)

    def require_place(self, model: LifeCode, place: Place, key: str) -> None:
        """Raises a `UserError` where the model has fewer layers."""
        require_layer(model, place, key)

    def num_blocks(self, unit: Unit, frames: FrameReading) -> int:
        """One of codons and residues; of nucleotides one for each place in a codon, or frame."""
        return 1 if unit in ("codon", "residue") else NUM_FRAMES

    def position_states(
        self, num_letters: int, unit: Unit, frames: FrameReading, window: int
    ) -> NDArray[np.int64]:
        """As `state_index`; a residue is the codon that is written for it."""
        if unit == "residue":
            return state_index(3 * num_letters, "codon", 0, window)
        return state_index(num_letters, unit, frames, window)

    def notes(self, sequences: Sequence[NDArray[np.uint8]]) -> list[str]:
        """That proteins are read as codons."""
        if self.molecule != "protein":
            return []
        return ["proteins are read as codons, the most frequent one of E. coli for each residue"]


def read_states(model: LifeCode, packed: Packed, place: Place, layer_weights: Tensor | None = None) -> Tensor:
    """The states (L, D) of a packed row at one place, or a weighted sum over layers (depth + 1,); float32."""
    packed = packed.to(model.codon_projection.weight.device)
    ids, borders = packed.ids, packed.cu_seqlens
    if model.encoder.strands == "rc":
        ids, borders = both_strands(ids, borders)
    states = model.encoder(
        model.codec.tokenizer(ids.int(), borders),
        packed.cu_seqlens,
        num_layers=place.layer,
        layer_weights=layer_weights,
        projected=place.projected,
    )
    return at_least_fp32(states)
