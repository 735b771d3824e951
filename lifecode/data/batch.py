"""What a training step reads: a packed, corrupted row with the labels of every task."""

from dataclasses import dataclass, fields
from typing import Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from lifecode.alphabet import IGNORE, UNK, codon_ids
from lifecode.data.masking import Masking, mask_codons, mask_nucleotides
from lifecode.data.packing import pack


class ResidueFeatures(Protocol):
    """Where a protein teacher's output is kept."""

    def get(self, protein: str) -> NDArray[np.float16] | None:
        """Features (num_residues, D') of a protein, or None where the teacher has not seen it."""
        ...


@dataclass(frozen=True, slots=True)
class Segment:
    """One stretch of sequence before packing.

    Attributes:
        ids: nucleotide ids (3 x codons,), already padded to whole codons.
        amino_acids: index in `AMINO_ACIDS` of each codon (num_codons,), or None for DNA.
        teacher_features: (num_residues, D') of the leading codons, or None.
    """

    ids: NDArray[np.uint8]
    amino_acids: NDArray[np.int16] | None = None
    teacher_features: NDArray[np.float16] | None = None


@dataclass(frozen=True, slots=True)
class Batch:
    """A packed row of L codons in S segments, corrupted for masked modelling.

    Attributes:
        ids: corrupted nucleotide ids (3L,), uint8.
        cu_seqlens: segment borders in codons (S + 1,), int32.
        nucleotide_labels: original id at every known nucleotide of DNA segments, else `IGNORE` (3L,).
        codon_labels: original codon at every known codon of CDS segments, else `IGNORE` (L,).
        amino_acid_labels: residue or stop at every codon of CDS segments, else `IGNORE` (L,).
        nucleotide_selected: DNA nucleotides that masking selected (3L,), bool.
        codon_selected: CDS codons that masking selected (L,), bool.
        teacher_positions: codon index of each residue the teacher has seen (R,), int64.
        teacher_features: the teacher's features there (R, D'), float16; (0, 0) without a teacher.
        num_nucleotides: nucleotides in the row, special tokens not counted.
    """

    ids: Tensor
    cu_seqlens: Tensor
    nucleotide_labels: Tensor
    codon_labels: Tensor
    amino_acid_labels: Tensor
    nucleotide_selected: Tensor
    codon_selected: Tensor
    teacher_positions: Tensor
    teacher_features: Tensor
    num_nucleotides: int

    def to(self, device: torch.device | str, non_blocking: bool = False) -> "Batch":
        """The same batch on another device (Lightning calls this)."""
        moved = {
            field.name: value.to(device, non_blocking=non_blocking) if isinstance(value, Tensor) else value
            for field in fields(self)
            for value in [getattr(self, field.name)]
        }
        return Batch(**moved)  # pyright: ignore[reportArgumentType]


def corrupt_and_pack(
    segments: list[Segment], masking: Masking, generators: list[np.random.Generator]
) -> Batch:
    """Masks each segment with its own generator and packs all of them into one batch."""
    corrupted, nucleotide_labels, nucleotide_selected = [], [], []
    codon_labels, codon_selected, amino_acid_labels = [], [], []
    positions, features = [], []
    offset = 0
    for segment, rng in zip(segments, generators, strict=True):
        num_codons = len(segment.ids) // 3
        no_codons = np.full(num_codons, IGNORE, np.int64)
        if segment.amino_acids is None:
            ids, selected = mask_nucleotides(segment.ids, masking, rng)
            nucleotide_labels.append(_framed(np.where(segment.ids < UNK, segment.ids, IGNORE), IGNORE, 3))
            nucleotide_selected.append(_framed(selected, False, 3))
            codon_labels.append(_framed(no_codons, IGNORE, 1))
            codon_selected.append(_framed(np.zeros(num_codons, bool), False, 1))
            amino_acid_labels.append(_framed(no_codons, IGNORE, 1))
        else:
            ids, selected = mask_codons(segment.ids, masking, rng)
            codons = codon_ids(segment.ids).astype(np.int64)
            nucleotide_labels.append(np.full(3 * (num_codons + 2), IGNORE, np.int64))
            nucleotide_selected.append(np.zeros(3 * (num_codons + 2), bool))
            codon_labels.append(_framed(np.where(codons >= 0, codons, IGNORE), IGNORE, 1))
            codon_selected.append(_framed(selected, False, 1))
            amino_acid_labels.append(_framed(segment.amino_acids.astype(np.int64), IGNORE, 1))
        if segment.teacher_features is not None:
            positions.append(offset + 1 + np.arange(len(segment.teacher_features)))
            features.append(segment.teacher_features)
        corrupted.append(ids)
        offset += num_codons + 2
    packed = pack(corrupted)
    return Batch(
        ids=packed.ids,
        cu_seqlens=packed.cu_seqlens,
        nucleotide_labels=_joined(nucleotide_labels),
        codon_labels=_joined(codon_labels),
        amino_acid_labels=_joined(amino_acid_labels),
        nucleotide_selected=_joined(nucleotide_selected),
        codon_selected=_joined(codon_selected),
        teacher_positions=_joined(positions) if positions else torch.empty(0, dtype=torch.int64),
        teacher_features=_joined(features) if features else torch.empty(0, 0, dtype=torch.float16),
        num_nucleotides=sum(len(segment.ids) for segment in segments),
    )


def _framed(values: NDArray, at_special: int | bool, ids_per_token: int) -> NDArray:
    """The values with those of `[CLS]` before and of `[SEP]` after them."""
    return np.pad(
        values.astype(bool if isinstance(at_special, bool) else np.int64),
        ids_per_token,
        constant_values=at_special,
    )


def _joined(arrays: list[NDArray]) -> Tensor:
    return torch.from_numpy(np.concatenate(arrays))
