"""Train, validation and test: by block of the genome, by contig, or by taxon.

Random genes would leak: the DNA windows of training contain the genes next to them. Blocks leak nothing
but cost the genes on their borders, about one gene a border; 50,000 nucleotides hold some 45 genes of a
bacterium. What is held out is a pure function of the seed and of names, so neither the order of the files
nor the number of workers matters. A contig that repeats another on either strand is split as that one is.
"""

from abc import ABC, abstractmethod
from dataclasses import dataclass
from math import ceil

import numpy as np
from numpy.typing import NDArray

from lifecode.data.splits.hold_out import fractions_of, held_out_by_name, hold_out, ranks_of, too_little
from lifecode.data.splits.regions import SPLITS, TEST, TRAIN, VALIDATION, Contigs, Regions
from lifecode.errors import UserError

_SMALLEST_USEFUL_BLOCK = 1_500
_TRAIN = SPLITS.index(TRAIN)


@dataclass(frozen=True, slots=True, kw_only=True)
class Split(ABC):
    """How a corpus is divided.

    Args:
        validation: fraction for validation, 0 for none.
        test: fraction for test, 0 for none.
        clusters: CDS whose proteins are at least this similar (estimated Jaccard index of their 5-mers)
            never lie in different splits; None compares whole sequences only.

    Raises:
        UserError: no fraction, or fractions that leave no training.
    """

    validation: float | list[str] | list[int] = 0.05
    test: float | list[str] | list[int] = 0.10
    clusters: float | None = None

    def __post_init__(self) -> None:
        fractions = {VALIDATION: self.validation, TEST: self.test}
        for name, value in fractions.items():
            if not isinstance(value, list) and not 0 <= value < 1:
                raise UserError(f"{value} is no fraction", source=f"split.{name}", remedy="Give 0 to below 1")
        if sum(value for value in fractions.values() if not isinstance(value, list)) >= 1:
            raise UserError(
                "validation and test leave nothing to train on",
                source="split",
                remedy="Let them add up to less than 1",
            )
        if self.clusters is not None and not 0 < self.clusters <= 1:
            raise UserError(
                f"{self.clusters} is no similarity",
                source="split.clusters",
                remedy="Give above 0 to 1, or null to compare whole sequences only",
            )

    @abstractmethod
    def regions(self, contigs: Contigs, seed: int) -> Regions:
        """Divide the contigs.

        Raises:
            UserError: too little to fill every split, or a held-out name that is not there.
        """

    def _whole(self, contigs: Contigs, split: NDArray[np.int8]) -> Regions:
        """Whole contigs as regions, each group in the most held-out split of its members."""
        group, member_of = np.unique(contigs.group, return_inverse=True)
        most = np.zeros(len(group), dtype=np.int8)
        np.maximum.at(most, member_of, split)
        numbers = np.arange(len(contigs))
        return Regions.merged(numbers, np.zeros_like(numbers), contigs.num_nucleotides, most[member_of])


@dataclass(frozen=True, slots=True, kw_only=True)
class BlockSplit(Split):
    """Hold out whole blocks: of all blocks, ranked by a hash, the first are test, the next validation.

    Every genomic contig is cut into equal blocks of at most `block_nucleotides`. A genome with too few
    blocks to meet the fractions gets smaller ones, down to 1,500 nucleotides, and smaller still only where
    three would not come about otherwise. Each positive fraction gets at least one block of three. Contigs
    that are no genomic DNA stay whole, and the fractions are fractions of their number.

    Args:
        block_nucleotides: largest block.
        validation: fraction of the blocks for validation, 0 for none.
        test: fraction of the blocks for test, 0 for none.
        clusters: as for `Split`.

    Raises:
        UserError: a block below 3 nucleotides, a negative fraction, or fractions that leave no training.
    """

    block_nucleotides: int = 50_000
    validation: float = 0.05
    test: float = 0.10

    def __post_init__(self) -> None:
        if self.block_nucleotides < 3:
            raise UserError("must be at least 3 nucleotides", source="split.block_nucleotides")
        Split.__post_init__(self)

    def regions(self, contigs: Contigs, seed: int) -> Regions:
        """Blocks of genomic contigs, and the others whole.

        Raises:
            UserError: fewer than three blocks can be made, so that a held-out split would stay empty.
        """
        split = _ranked_wholes(contigs, ~contigs.is_dna, seed, self.validation, self.test)
        whole = np.flatnonzero(~contigs.is_dna)
        pieces = [(whole, np.zeros_like(whole), contigs.num_nucleotides[whole], split[whole])]
        block = None
        if contigs.is_dna.any():
            block = self._block_that_suffices(self._lengths_of_originals(contigs))
            pieces.append(self._blocks(contigs, block, seed))
        columns = [np.concatenate(column) for column in zip(*pieces, strict=True)]
        contig, start, end, held_out = columns
        asked = None if block is None else self.block_nucleotides
        return Regions.merged(contig, start, end, held_out.astype(np.int8), block, asked)

    def _blocks(self, contigs: Contigs, block: int, seed: int) -> tuple[NDArray, NDArray, NDArray, NDArray]:
        """Contig, start, end and split of every block; a twin has its original's, mirrored if need be."""
        numbers = np.flatnonzero(contigs.is_dna)
        originals = np.flatnonzero(contigs.is_dna & (contigs.twin_of == np.arange(len(contigs))))
        counts = -(-contigs.num_nucleotides // block)
        first_block = np.zeros(len(contigs), dtype=np.int64)
        first_block[originals] = np.cumsum(counts[originals]) - counts[originals]
        split_of_block = hold_out(
            ranks_of(
                f"{seed}\t{contigs.name(contig)}\t{index}"
                for contig in originals.tolist()
                for index in range(counts[contig])
            ),
            self.validation,
            self.test,
        )
        contig = np.repeat(numbers, counts[numbers])
        index = np.arange(len(contig)) - np.repeat(
            np.cumsum(counts[numbers]) - counts[numbers], counts[numbers]
        )
        length, count, mirrored = contigs.num_nucleotides[contig], counts[contig], contigs.mirrored[contig]
        start, end = index * length // count, (index + 1) * length // count
        start, end = np.where(mirrored, length - end, start), np.where(mirrored, length - start, end)
        return contig, start, end, split_of_block[first_block[contigs.twin_of[contig]] + index]

    @staticmethod
    def _lengths_of_originals(contigs: Contigs) -> NDArray[np.int64]:
        """Nucleotides of each genomic contig that repeats no other."""
        return contigs.num_nucleotides[contigs.is_dna & (contigs.twin_of == np.arange(len(contigs)))]

    def _block_that_suffices(self, num_nucleotides: NDArray[np.int64]) -> int:
        """The largest allowed block that gives enough blocks for the fractions, in nucleotides."""
        positive = [fraction for fraction in (self.validation, self.test) if fraction > 0]
        needed = 1 + len(positive)
        wanted = max([needed, *(ceil(1 / fraction) for fraction in positive)])
        total = int(num_nucleotides.sum())
        block = self.block_nucleotides
        if _num_blocks(num_nucleotides, block) < wanted:
            block = min(block, max(ceil(total / wanted), _SMALLEST_USEFUL_BLOCK))
        while block > 3 and _num_blocks(num_nucleotides, block) < needed:
            block = max(3, block // 2)
        if _num_blocks(num_nucleotides, block) < needed:
            raise too_little(f"{total} nucleotides", needed)
        return block


@dataclass(frozen=True, slots=True, kw_only=True)
class ContigSplit(Split):
    """Hold out whole contigs: those named, or a fraction of their number, ranked by a hash.

    Args:
        validation: fraction of the contigs, or a list of their names.
        test: the same.
        clusters: as for `Split`.
    """

    validation: float | list[str] = 0.05
    test: float | list[str] = 0.10

    def regions(self, contigs: Contigs, seed: int) -> Regions:
        """Whole contigs.

        Raises:
            UserError: a name that no contig has, or too few contigs.
        """
        number_of = {}
        if isinstance(self.validation, list) or isinstance(self.test, list):
            number_of = {name: number for number, name in enumerate(contigs.names.to_pylist())}
        named = held_out_by_name(self.validation, self.test, number_of, "contig", len(contigs))
        split = _ranked_wholes(contigs, named == _TRAIN, seed, *fractions_of(self.validation, self.test))
        return self._whole(contigs, np.maximum(split, named))


@dataclass(frozen=True, slots=True, kw_only=True)
class TaxonSplit(Split):
    """Hold out whole taxa: those named, or a fraction of their number, ranked by a hash.

    Args:
        validation: fraction of the taxa, or a list of NCBI taxonomy ids.
        test: the same.
        clusters: as for `Split`.
    """

    validation: float | list[int] = 0.05
    test: float | list[int] = 0.10

    def regions(self, contigs: Contigs, seed: int) -> Regions:
        """Whole taxa.

        Raises:
            UserError: a contig without a taxon, an id that no contig has, or too few taxa.
        """
        if (contigs.taxon < 0).any():
            first = contigs.name(int(np.flatnonzero(contigs.taxon < 0)[0]))
            raise UserError(
                f"{int((contigs.taxon < 0).sum())} contigs name no taxon, so they cannot be split by it",
                record=first,
                remedy="Take data/split=contigs, or give files with taxonomy ids such as GenBank's",
            )
        taxa, taxon_of = np.unique(contigs.taxon, return_inverse=True)
        number_of = {taxon: number for number, taxon in enumerate(taxa.tolist())}
        named = held_out_by_name(self.validation, self.test, number_of, "taxon", len(taxa))
        free, fractions = np.flatnonzero(named == _TRAIN), fractions_of(self.validation, self.test)
        if (needed := 1 + sum(fraction > 0 for fraction in fractions)) > len(free):
            raise too_little(f"{len(free)} taxa", needed)
        split = named.copy()
        split[free] = hold_out(
            ranks_of(f"{seed}\ttaxon\t{taxa[number]}" for number in free.tolist()), *fractions
        )
        return self._whole(contigs, split[taxon_of])


def _ranked_wholes(
    contigs: Contigs, free: NDArray[np.bool_], seed: int, validation: float, test: float
) -> NDArray[np.int8]:
    """The split of each contig: groups of `free` ones held out by rank until the fractions of them are met.

    Raises:
        UserError: fewer groups than splits, where there is no genomic DNA to hold out instead.
    """
    split = np.zeros(len(contigs), dtype=np.int8)
    numbers = np.flatnonzero(free)
    groups, group_of, sizes = np.unique(contigs.group[numbers], return_inverse=True, return_counts=True)
    needed = 1 + (validation > 0) + (test > 0)
    if len(groups) < needed:
        if len(numbers) == len(contigs):
            raise too_little(f"{len(groups)} different sequences", needed)
        return split
    rank_of = np.full(len(groups), np.iinfo(np.uint64).max, dtype=np.uint64)
    np.minimum.at(
        rank_of, group_of, ranks_of(f"{seed}\t{contigs.name(number)}" for number in numbers.tolist())
    )
    split[numbers] = hold_out(rank_of, validation, test, sizes)[group_of]
    return split


def _num_blocks(num_nucleotides: NDArray[np.int64], block: int) -> int:
    """Number of blocks of at most `block` nucleotides."""
    return int((-(-num_nucleotides // block)).sum())
