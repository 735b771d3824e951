"""Train, validation and test: by block of the genome, by contig, or by taxon.

Random genes would leak: the DNA windows of training contain the genes next to them. Blocks leak nothing
but cost the genes on their borders, about one gene a border; 50,000 nucleotides hold some 45 genes of a
bacterium. What is held out is a pure function of the seed and of names, so neither the order of the files
nor the number of workers matters. A contig that repeats another on either strand is split as that one is.
"""

from abc import ABC, abstractmethod
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from math import ceil

import numpy as np
from numpy.typing import NDArray

from lifecode.data.regions import SPLITS, TEST, TRAIN, VALIDATION, Contigs, Regions
from lifecode.errors import UserError

_SMALLEST_USEFUL_BLOCK = 1_500
_TRAIN, _VALIDATION, _TEST = (SPLITS.index(split) for split in (TRAIN, VALIDATION, TEST))


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
        split_of_block = _hold_out(
            _ranks(
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
            raise _too_little(f"{total} nucleotides", needed)
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
        named = _named(self.validation, self.test, number_of, "contig", len(contigs))
        split = _ranked_wholes(contigs, named == _TRAIN, seed, *_fractions(self.validation, self.test))
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
                remedy="Split by contig (split=contigs), or give files with taxonomy ids such as GenBank's",
            )
        taxa, taxon_of = np.unique(contigs.taxon, return_inverse=True)
        number_of = {taxon: number for number, taxon in enumerate(taxa.tolist())}
        named = _named(self.validation, self.test, number_of, "taxon", len(taxa))
        free, fractions = np.flatnonzero(named == _TRAIN), _fractions(self.validation, self.test)
        if (needed := 1 + sum(fraction > 0 for fraction in fractions)) > len(free):
            raise _too_little(f"{len(free)} taxa", needed)
        split = named.copy()
        split[free] = _hold_out(
            _ranks(f"{seed}\ttaxon\t{taxa[number]}" for number in free.tolist()), *fractions
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
            raise _too_little(f"{len(groups)} different sequences", needed)
        return split
    rank_of = np.full(len(groups), np.iinfo(np.uint64).max, dtype=np.uint64)
    np.minimum.at(rank_of, group_of, _ranks(f"{seed}\t{contigs.name(number)}" for number in numbers.tolist()))
    split[numbers] = _hold_out(rank_of, validation, test, sizes)[group_of]
    return split


def _hold_out(
    ranks: NDArray[np.uint64], validation: float, test: float, sizes: NDArray[np.int64] | None = None
) -> NDArray[np.int8]:
    """The split of each item: in the order of the ranks test fills up, then validation; the rest train.

    Args:
        ranks: (num_items,) hashes.
        validation: fraction of the sum of the sizes.
        test: the same.
        sizes: (num_items,), 1 by default; an item larger than what is left of a fraction is passed over,
            but for the smallest one where nothing else would be held out.
    """
    split = np.zeros(len(ranks), dtype=np.int8)
    sizes = np.ones(len(ranks), dtype=np.int64) if sizes is None else sizes
    total = int(sizes.sum())
    room = {_TEST: _quota(test, total), _VALIDATION: _quota(validation, total)}
    for item in np.argsort(ranks, kind="stable").tolist():
        if not any(room.values()):
            break
        for held_out in (_TEST, _VALIDATION):
            if sizes[item] <= room[held_out]:
                room[held_out] -= int(sizes[item])
                split[item] = held_out
                break
    for held_out, fraction in ((_TEST, test), (_VALIDATION, validation)):
        if fraction > 0 and not (split == held_out).any():
            free = np.flatnonzero(split == _TRAIN)
            split[free[np.lexsort((ranks[free], sizes[free]))[0]]] = held_out
    return split


def _ranks(keys: Iterable[str]) -> NDArray[np.uint64]:
    """A uniform 64-bit number for each key, the same on every machine."""
    digests = b"".join(blake2b(key.encode(), digest_size=8).digest() for key in keys)
    return np.frombuffer(digests, dtype=">u8").astype(np.uint64)


def _named(
    validation: float | Sequence[str] | Sequence[int],
    test: float | Sequence[str] | Sequence[int],
    number_of: dict,
    what: str,
    count: int,
) -> NDArray[np.int8]:
    """The split of each item that a list names; train for the others."""
    split = np.zeros(count, dtype=np.int8)
    for key, number, names in ((VALIDATION, _VALIDATION, validation), (TEST, _TEST, test)):
        for name in names if isinstance(names, Sequence) else ():
            if name not in number_of:
                raise UserError(
                    f"there is no {what} {name!r}",
                    source=f"split.{key}",
                    remedy=f"There are {', '.join(map(str, list(number_of)[:5]))}"
                    + (" …" if len(number_of) > 5 else ""),
                )
            if split[number_of[name]] not in (_TRAIN, number):
                raise UserError(f"{what} {name!r} is in validation and in test", source="split")
            split[number_of[name]] = number
    return split


def _fractions(validation: float | list, test: float | list) -> tuple[float, float]:
    """Validation and test as fractions, 0 where they are lists."""
    return tuple(0.0 if isinstance(value, list) else value for value in (validation, test))  # pyright: ignore


def _num_blocks(num_nucleotides: NDArray[np.int64], block: int) -> int:
    """Number of blocks of at most `block` nucleotides."""
    return int((-(-num_nucleotides // block)).sum())


def _quota(fraction: float, count: int) -> int:
    """The number nearest to a fraction, at least one where it is positive."""
    return max(1, round(fraction * count)) if fraction > 0 else 0


def _too_little(what: str, needed: int) -> UserError:
    return UserError(
        f"{what} cannot be split into {needed} parts",
        source="split",
        remedy="Give more sequence, or set split.validation=0 and split.test=0",
    )
