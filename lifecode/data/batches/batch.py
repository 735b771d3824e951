"""What a training step reads: a packed, corrupted row with the labels of every task."""

from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from lifecode.alphabet import IGNORE, NO_RESIDUE, UNK, codon_ids
from lifecode.data.batches.masking import Masking, mask_codons, mask_nucleotides
from lifecode.data.batches.packing import pack
from lifecode.randomness.random_words import random_words


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
        amino_acids: index in `AMINO_ACIDS` or `NO_RESIDUE` of each codon (num_codons,), or None for DNA.
        teacher_features: (num_residues, D') of the leading codons, or of `teacher_positions`, or None.
        teacher_positions: (num_residues,) codons of the segment; None for the leading ones.
    """

    ids: NDArray[np.uint8]
    amino_acids: NDArray[np.integer] | None = None
    teacher_features: NDArray[np.float16] | None = None
    teacher_positions: NDArray[np.integer] | None = None

    @property
    def taught(self) -> NDArray[np.int64]:
        """(num_residues,) codons that a teacher has seen."""
        if self.teacher_positions is not None:
            return self.teacher_positions.astype(np.int64)
        return np.arange(0 if self.teacher_features is None else len(self.teacher_features))


def joined(segments: Sequence[Segment]) -> Segment:
    """Coding segments one behind the other as one; a single segment as it is."""
    if len(segments) == 1:
        return segments[0]
    starts = np.cumsum([0, *(len(segment.ids) // 3 for segment in segments)])
    taught = [
        (start + segment.taught, segment.teacher_features)
        for start, segment in zip(starts, segments, strict=False)
        if segment.teacher_features is not None
    ]
    return Segment(
        ids=np.concatenate([segment.ids for segment in segments]),
        amino_acids=np.concatenate([segment.amino_acids for segment in segments]),  # pyright: ignore
        teacher_features=np.concatenate([features for _, features in taught]) if taught else None,
        teacher_positions=np.concatenate([at for at, _ in taught]) if taught else None,
    )


@dataclass(slots=True)
class Batch:
    """A packed row of L codons in S segments, corrupted for masked modelling.

    Not frozen: the precisions of Lightning's `Trainer` (`64-true`) set the tensors of a copy.

    Attributes:
        ids: corrupted nucleotide ids (3L,), uint8.
        cu_seqlens: segment borders in codons (S + 1,), int32.
        nucleotide_labels: original id at every known nucleotide of DNA segments, else `IGNORE` (3L,).
        codon_labels: original codon at every known codon of CDS segments, else `IGNORE` (L,).
        amino_acid_labels: residue or stop at every known codon of CDS segments, else `IGNORE` (L,).
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


def corrupt_and_pack(segments: Sequence[Segment], masking: Masking, keys: NDArray[np.uint64]) -> Batch:
    """Packs segments into one batch, each masked by the random words of its own key.

    Args:
        segments: in the order of the row.
        masking: how much is corrupted.
        keys: (num_segments,), see `random_words`.
    """
    packed = pack([segment.ids for segment in segments])
    ids = packed.ids.numpy()
    triplets = ids.reshape(-1, 3)
    codon_labels, amino_acid_labels = np.full((2, len(triplets)), IGNORE, dtype=np.int64)
    nucleotide_labels = np.full(len(ids), IGNORE, dtype=np.int64)
    codon_selected, nucleotide_selected = np.zeros(len(triplets), bool), np.zeros(len(ids), bool)
    starts = packed.cu_seqlens.numpy()[:-1].astype(np.int64) + 1
    lengths = np.array([len(segment.ids) // 3 for segment in segments], dtype=np.int64)
    coding = np.array([segment.amino_acids is not None for segment in segments], dtype=bool)

    if coding.any():
        at, words = _positions(starts[coding], lengths[coding], keys[coding])
        codons = triplets[at].reshape(-1)
        corrupted, codon_selected[at] = mask_codons(codons, masking, words)
        triplets[at] = corrupted.reshape(-1, 3)
        known = codon_ids(codons)
        codon_labels[at] = np.where(known >= 0, known, IGNORE)
        residues = [segment.amino_acids for segment in segments if segment.amino_acids is not None]
        ids_of_residues = np.concatenate(residues).astype(np.int64)
        amino_acid_labels[at] = np.where(ids_of_residues == NO_RESIDUE, IGNORE, ids_of_residues)
    if not coding.all():
        at, words = _positions(3 * starts[~coding], 3 * lengths[~coding], keys[~coding])
        nucleotides = ids[at]
        ids[at], nucleotide_selected[at] = mask_nucleotides(nucleotides, masking, words)
        nucleotide_labels[at] = np.where(nucleotides < UNK, nucleotides.astype(np.int64), IGNORE)

    teacher = [
        (start + segment.taught, segment.teacher_features)
        for start, segment in zip(starts, segments, strict=True)
        if segment.teacher_features is not None
    ]
    return Batch(
        ids=packed.ids,
        cu_seqlens=packed.cu_seqlens,
        nucleotide_labels=torch.from_numpy(nucleotide_labels),
        codon_labels=torch.from_numpy(codon_labels),
        amino_acid_labels=torch.from_numpy(amino_acid_labels),
        nucleotide_selected=torch.from_numpy(nucleotide_selected),
        codon_selected=torch.from_numpy(codon_selected),
        teacher_positions=_joined([at for at, _ in teacher], torch.empty(0, dtype=torch.int64)),
        teacher_features=_joined([seen for _, seen in teacher], torch.empty(0, 0, dtype=torch.float16)),
        num_nucleotides=int(3 * lengths.sum()),
    )


def _positions(
    starts: NDArray[np.int64], lengths: NDArray[np.int64], keys: NDArray[np.uint64]
) -> tuple[NDArray[np.int64], NDArray[np.uint64]]:
    """Every position of some segments in the row, and its random word: of its key, by its place."""
    within = np.arange(lengths.sum()) - np.repeat(lengths.cumsum() - lengths, lengths)
    return np.repeat(starts, lengths) + within, random_words(np.repeat(keys, lengths), within)


def _joined(arrays: list[NDArray], nothing: Tensor) -> Tensor:
    return torch.from_numpy(np.concatenate(arrays)) if arrays else nothing
