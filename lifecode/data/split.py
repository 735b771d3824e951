"""Train, validation and test by contiguous blocks of the genome.

Random genes would leak: the DNA windows of training contain the genes next to them. Blocks leak nothing
but cost the genes on their borders, about one gene a border; 50,000 nucleotides hold some 45 genes of a
bacterium. Which blocks are held out is a pure function of the seed and of each block's name, so neither
the order of the files nor the number of workers matters.
"""

from bisect import bisect_right
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from math import ceil
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from lifecode.alphabet import reverse_complement
from lifecode.data.records import Exon
from lifecode.errors import UserError

TRAIN, VALIDATION, TEST = "train", "validation", "test"
SPLITS = (TRAIN, VALIDATION, TEST)
"""From the least to the most held out."""

_SMALLEST_USEFUL_BLOCK = 1_500


class Region(NamedTuple):
    """A stretch of a contig, 0-based half-open, all of one split."""

    contig: str
    start: int
    end: int
    split: str


class Regions:
    """The regions of every contig, in order and without gaps, and the question where an exon lies.

    Args:
        regions: every contig's regions, ascending, the first from 0.
        block_nucleotides: the largest block they were made of.
        block_nucleotides_asked: the largest block that was allowed; more where the genome is small.
    """

    def __init__(
        self, regions: Iterable[Region], block_nucleotides: int, block_nucleotides_asked: int
    ) -> None:
        self.regions = tuple(regions)
        self.block_nucleotides = block_nucleotides
        self.block_nucleotides_asked = block_nucleotides_asked
        self._of_contig: dict[str, list[Region]] = {}
        for region in self.regions:
            self._of_contig.setdefault(region.contig, []).append(region)
        self._ends = {name: [region.end for region in rows] for name, rows in self._of_contig.items()}

    def of_contig(self, contig: str) -> Sequence[Region]:
        """Regions of one contig, ascending."""
        return self._of_contig.get(contig, ())

    def split_of(self, contig: str, exons: Iterable[Exon]) -> str | None:
        """The split that holds every nucleotide of the exons, or None where they cross a border."""
        splits = set()
        for exon in exons:
            first = bisect_right(self._ends[contig], exon.start)
            last = bisect_right(self._ends[contig], exon.end - 1)
            splits.update(region.split for region in self._of_contig[contig][first : last + 1])
        return splits.pop() if len(splits) == 1 else None


@dataclass(frozen=True, slots=True, kw_only=True)
class BlockSplit:
    """Hold out whole blocks: of all blocks, ranked by a hash, the first are test, the next validation.

    Every contig is cut into equal blocks of at most `block_nucleotides`. A genome with too few blocks to
    meet the fractions gets smaller ones, down to 1,500 nucleotides, and smaller still only where three
    would not come about otherwise. Each positive fraction gets at least one block of three.

    Args:
        block_nucleotides: largest block.
        validation: fraction of the blocks for validation, 0 for none.
        test: fraction of the blocks for test, 0 for none.

    Raises:
        UserError: a block below 3 nucleotides, a negative fraction, or fractions that leave no training.
    """

    block_nucleotides: int = 50_000
    validation: float = 0.05
    test: float = 0.10

    def __post_init__(self) -> None:
        if self.block_nucleotides < 3:
            raise UserError("must be at least 3 nucleotides", source="split.block_nucleotides")
        for name in (VALIDATION, TEST):
            if not 0 <= getattr(self, name) < 1:
                raise UserError(
                    f"{getattr(self, name)} is no fraction",
                    source=f"split.{name}",
                    remedy="Give 0 to below 1",
                )
        if self.validation + self.test >= 1:
            raise UserError(
                "validation and test leave nothing to train on",
                source="split",
                remedy="Let them add up to less than 1",
            )

    def regions(self, num_nucleotides: Mapping[str, int], seed: int) -> Regions:
        """Split the contigs, given as name to length; adjacent blocks of one split are one region.

        Raises:
            UserError: fewer than three blocks can be made, so that a held-out split would stay empty.
        """
        block = self._block_that_suffices(num_nucleotides)
        blocks = [
            (contig, index)
            for contig, length in num_nucleotides.items()
            for index in range(ceil(length / block))
        ]
        ranked = sorted(blocks, key=lambda key: (_rank(seed, *key), key))
        num_test, num_validation = (
            self._quota(self.test, len(blocks)),
            self._quota(self.validation, len(blocks)),
        )
        split_of = dict.fromkeys(ranked[:num_test], TEST)
        split_of |= dict.fromkeys(ranked[num_test : num_test + num_validation], VALIDATION)
        merged: list[Region] = []
        for contig, length in num_nucleotides.items():
            count = ceil(length / block)
            for index in range(count):
                start, end = index * length // count, (index + 1) * length // count
                split = split_of.get((contig, index), TRAIN)
                if merged and merged[-1].contig == contig and merged[-1].split == split:
                    merged[-1] = merged[-1]._replace(end=end)
                else:
                    merged.append(Region(contig, start, end, split))
        return Regions(merged, block, self.block_nucleotides)

    def _block_that_suffices(self, num_nucleotides: Mapping[str, int]) -> int:
        """The largest allowed block that gives enough blocks for the fractions, in nucleotides."""
        positive = [fraction for fraction in (self.validation, self.test) if fraction > 0]
        needed = 1 + len(positive)
        wanted = max([needed, *(ceil(1 / fraction) for fraction in positive)])
        total = sum(num_nucleotides.values())
        block = self.block_nucleotides
        if self._count(num_nucleotides, block) < wanted:
            block = min(block, max(ceil(total / wanted), _SMALLEST_USEFUL_BLOCK))
        while block > 3 and self._count(num_nucleotides, block) < needed:
            block = max(3, block // 2)
        if self._count(num_nucleotides, block) < needed:
            raise UserError(
                f"{total} nucleotides cannot be split into {needed} parts",
                source="split",
                remedy="Give more sequence, or set split.validation=0 and split.test=0",
            )
        return block

    @staticmethod
    def _count(num_nucleotides: Mapping[str, int], block: int) -> int:
        """Number of blocks of at most `block` nucleotides."""
        return sum(ceil(length / block) for length in num_nucleotides.values())

    @staticmethod
    def _quota(fraction: float, num_blocks: int) -> int:
        """Number of blocks nearest to the fraction, at least one where the fraction is positive."""
        return max(1, round(fraction * num_blocks)) if fraction > 0 else 0


def _rank(seed: int, contig: str, block: int) -> bytes:
    """A uniform 64-bit key of one block, the same on every machine."""
    return blake2b(f"{seed}\t{contig}\t{block}".encode(), digest_size=8).digest()


def without_twins(sequences: Sequence[NDArray[np.uint8]], splits: Sequence[str]) -> list[bool]:
    """Which records to keep so that none has a twin, same or reverse complement, in a more held-out split.

    Test keeps all of its records, validation loses those that test has, train those that either has. Twins
    inside one split stay.

    Args:
        sequences: nucleotide ids of each record.
        splits: split of each record.
    """
    twins = [_strandless_digest(sequence) for sequence in sequences]
    held_out: dict[bytes, int] = {}
    for twin, split in zip(twins, splits, strict=True):
        held_out[twin] = max(held_out.get(twin, 0), SPLITS.index(split))
    return [held_out[twin] == SPLITS.index(split) for twin, split in zip(twins, splits, strict=True)]


def _strandless_digest(sequence: NDArray[np.uint8]) -> bytes:
    """One 128-bit key for a sequence and its reverse complement."""
    strands = (sequence.tobytes(), reverse_complement(sequence).tobytes())
    return blake2b(min(strands), digest_size=16).digest()
