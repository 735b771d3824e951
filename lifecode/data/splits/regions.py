"""Contigs as columns, and the regions that a split makes of them: a few dozen bytes each, no objects.

Everything here is numpy arrays over contig numbers, so that a corpus of 50 million sequences is planned in
the main process without their sequences and without a Python object for each.
"""

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

TRAIN, VALIDATION, TEST = "train", "validation", "test"
SPLITS = (TRAIN, VALIDATION, TEST)
"""From the least to the most held out; a split number is the index here."""

CROSSES = -1
"""In place of a split number: in more than one split."""


@dataclass(frozen=True, slots=True, eq=False)
class Contigs:
    """What a split may know of the contigs, in the order of the inputs.

    Attributes:
        names: (num_contigs,) strings, all different.
        num_nucleotides: (num_contigs,) int64.
        is_dna: (num_contigs,) genomic, so that it can be cut into blocks; the others stay whole.
        taxon: (num_contigs,) int64 NCBI taxonomy id, -1 where the file names none.
        group: (num_contigs,) int64; contigs of one group must not be in different splits.
        twin_of: (num_contigs,) int64, number of the contig whose sequence this one repeats on either strand:
            of such contigs the one whose name sorts first; its own number where it repeats none.
        mirrored: (num_contigs,) whether it is the reverse complement of `twin_of`.
    """

    names: pa.Array
    num_nucleotides: NDArray[np.int64]
    is_dna: NDArray[np.bool_]
    taxon: NDArray[np.int64]
    group: NDArray[np.int64]
    twin_of: NDArray[np.int64]
    mirrored: NDArray[np.bool_]

    def __len__(self) -> int:
        return len(self.names)

    def name(self, contig: int) -> str:
        """Name of one contig."""
        return self.names[contig].as_py()


@dataclass(frozen=True, slots=True, eq=False)
class Regions:
    """Stretches of contigs, each of one split: sorted, without gaps, neighbours in different splits.

    Attributes:
        contig: (num_regions,) int64 contig number.
        start: (num_regions,) int64, 0-based.
        end: (num_regions,) int64, exclusive.
        split: (num_regions,) int8 split number.
        block_nucleotides: the largest block they were made of; None where all contigs stayed whole.
        block_nucleotides_asked: the largest block that was allowed; more where the genome is small.
    """

    contig: NDArray[np.int64]
    start: NDArray[np.int64]
    end: NDArray[np.int64]
    split: NDArray[np.int8]
    block_nucleotides: int | None = None
    block_nucleotides_asked: int | None = None

    @classmethod
    def merged(
        cls,
        contig: NDArray[np.int64],
        start: NDArray[np.int64],
        end: NDArray[np.int64],
        split: NDArray[np.int8],
        block_nucleotides: int | None = None,
        block_nucleotides_asked: int | None = None,
    ) -> "Regions":
        """Regions of pieces in any order that cover every contig once; neighbours of one split become one."""
        order = np.lexsort((start, contig))
        contig, start, end, split = contig[order], start[order], end[order], split[order]
        first = np.ones(len(contig), dtype=bool)
        first[1:] = (contig[1:] != contig[:-1]) | (split[1:] != split[:-1])
        last = np.append(first[1:], True)[: len(first)]
        asked = block_nucleotides_asked
        return cls(contig[first], start[first], end[last], split[first], block_nucleotides, asked)

    def split_of(
        self,
        contig: NDArray[np.int64],
        exon_offsets: NDArray[np.int64],
        exon_start: NDArray[np.int64],
        exon_end: NDArray[np.int64],
    ) -> NDArray[np.int8]:
        """The split that holds every nucleotide of each CDS, or `CROSSES`.

        Args:
            contig: (num_cds,) contig number.
            exon_offsets: (num_cds + 1,) where the exons of each CDS begin; every CDS has at least one.
            exon_start: (num_exons,) on the contig, 0-based.
            exon_end: (num_exons,) exclusive.
        """
        if not len(contig):
            return np.empty(0, dtype=np.int8)
        exon_contig = np.repeat(contig, np.diff(exon_offsets))
        first, last = self._region_of(exon_contig, exon_start), self._region_of(exon_contig, exon_end - 1)
        split = np.where(first == last, self.split[first], CROSSES)
        lowest = np.minimum.reduceat(split, exon_offsets[:-1])
        highest = np.maximum.reduceat(split, exon_offsets[:-1])
        return np.where(lowest == highest, lowest, CROSSES).astype(np.int8)

    def _region_of(self, contig: NDArray[np.int64], position: NDArray[np.int64]) -> NDArray[np.int64]:
        """Index of the region that holds a position of a contig."""
        first_of_contig = np.searchsorted(self.contig, np.arange(int(self.contig[-1]) + 1))
        length = np.zeros(len(first_of_contig), dtype=np.int64)
        np.maximum.at(length, self.contig, self.end)
        base = np.cumsum(length) - length
        return np.searchsorted(base[self.contig] + self.end, base[contig] + position, side="right")
