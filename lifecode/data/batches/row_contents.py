"""What a packed row holds on average: what the cost of a training step depends on."""

from collections.abc import Mapping
from typing import NamedTuple, Protocol

import torch

from lifecode.alphabet import IGNORE
from lifecode.data.batches.batch import Batch
from lifecode.data.batches.packing import NUM_SPECIAL_CODONS
from lifecode.data.batches.row_groups import RowGroup
from lifecode.data.corpus.shards import CDS


class Contents(Protocol):
    """What packed rows hold, numbers that add up over rows."""

    @property
    def num_positions(self) -> float:
        """Of the rows, special tokens included."""
        ...

    @property
    def num_segments(self) -> float:
        """Sequences packed into them."""
        ...

    @property
    def length(self) -> float:
        """Of the sequences, special tokens apart."""
        ...

    @property
    def units(self) -> tuple[str, str]:
        """What a position is, and what a length is counted in."""
        ...

    def times(self, rows: float) -> "Contents":
        """What so many rows hold together."""
        ...


class RowContents(NamedTuple):
    """Averages over packed rows.

    Attributes:
        num_codons: special tokens included; at most `max_codons` of the row.
        num_segments: sequences packed into it.
        squared_codons: sum of the segments' squared lengths, the pairs that attention looks at.
        cds_codons: codons of coding sequences, special tokens apart.
    """

    num_codons: float
    num_segments: float
    squared_codons: float
    cds_codons: float

    @property
    def num_positions(self) -> float:
        """Of the rows, each a codon."""
        return self.num_codons

    @property
    def length(self) -> float:
        """Of the sequences, in nucleotides."""
        return self.num_nucleotides

    @property
    def units(self) -> tuple[str, str]:
        """What a position is, and what a length is counted in."""
        return "codons", "nucleotides"

    def times(self, rows: float) -> "RowContents":
        """What so many rows hold together."""
        return RowContents(*(rows * value for value in self))

    @property
    def num_nucleotides(self) -> float:
        """Nucleotides, special tokens apart."""
        return 3 * (self.num_codons - NUM_SPECIAL_CODONS * self.num_segments)


def assumed_contents(max_codons: int, shares: Mapping[str, float]) -> RowContents:
    """The most that a row can hold: it is full, and one sequence."""
    cds_codons = shares.get(CDS, 0.0) * (max_codons - NUM_SPECIAL_CODONS)
    return RowContents(max_codons, 1, max_codons**2, cds_codons)


def batch_contents(batch: Batch) -> RowContents:
    """What the rows of one batch hold together."""
    lengths = batch.cu_seqlens.diff().to(torch.float64)
    cds_codons = (batch.amino_acid_labels != IGNORE).sum()
    sums = torch.stack([lengths.sum(), lengths.square().sum(), cds_codons.to(torch.float64)])
    num_codons, squared_codons, cds = sums.tolist()
    return RowContents(num_codons, len(lengths), squared_codons, cds)


def measured_contents(group: RowGroup) -> RowContents:
    """The average over the rows of one group."""
    pieces = [piece for row in group.rows for piece in row]
    lengths = [piece.num_positions for piece in pieces]
    cds = sum(piece.num_positions - NUM_SPECIAL_CODONS for piece in pieces if piece.kind == CDS)
    totals = (sum(lengths), len(pieces), sum(length**2 for length in lengths), cds)
    return RowContents(*(total / len(group.rows) for total in totals))
