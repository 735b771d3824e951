"""Stage 2: which row goes into which split, shard and place of the cache; decided without any sequence."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from lifecode.data.corpus.inventory import Inventory
from lifecode.data.corpus.shard_rows import CdsPart, RegionPart
from lifecode.data.corpus.shard_task import ShardTask
from lifecode.data.corpus.shards import CDS, DNA, KINDS, RNA
from lifecode.data.reading.remedies import BORDER, DUPLICATE, HOMOLOG
from lifecode.data.splits.regions import CROSSES, SPLITS, Regions
from lifecode.data.splits.split import Split
from lifecode.data.splits.twins import without_twins

_LEFT_OUT = -1
_SHARD_NUCLEOTIDES = 250_000_000


class Rows(NamedTuple):
    """The rows of one kind in the order of the inputs.

    Attributes:
        number: (num_rows,) of the exact pair in the inventory, or of the region.
        split: (num_rows,) int8 split number.
        num_nucleotides: (num_rows,) int64.
    """

    number: NDArray[np.int64]
    split: NDArray[np.int8]
    num_nucleotides: NDArray[np.int64]


@dataclass(frozen=True, slots=True, eq=False)
class Layout:
    """Everything that is decided before a shard is written.

    Attributes:
        inventory: what there is.
        regions: the split of every stretch of every contig.
        rows: of each kind.
        cds_split: (num_cds,) int8 split number of each exact pair, -1 where it lies in several.
        dropped: for each reason (num_dropped,) the exact pairs that the split costs.
    """

    inventory: Inventory
    regions: Regions
    rows: dict[str, Rows]
    cds_split: NDArray[np.int8]
    dropped: dict[str, NDArray[np.int64]]

    def tasks(self, corpus: Path, records: Path) -> list[ShardTask]:
        """Every shard: at least one a kind, each until it holds 250 million nucleotides."""
        return [task for kind in KINDS for task in _tasks_of_kind(self, kind, corpus, records)]


def make_layout(inventory: Inventory, split: Split, seed: int) -> Layout:
    """Split the contigs, and drop the exact pairs that would lie in two splits.

    Raises:
        UserError: what `Split.regions` raises.
    """
    regions = split.regions(inventory.as_contigs(), seed)
    cds_split = regions.split_of(inventory.cds_contig, *inventory.exons())
    left, dropped = np.arange(len(cds_split)), {}
    dropped[BORDER], left = left[cds_split == CROSSES], left[cds_split != CROSSES]
    labels = {DUPLICATE: inventory.twin_label}
    labels |= {HOMOLOG: inventory.homolog_label} if split.clusters is not None else {}
    for reason, label in labels.items():
        keep = without_twins(label[left], cds_split[left])
        dropped[reason], left = left[~keep], left[keep]
    lengths = inventory.cds["num_nucleotides"].to_numpy()
    rows = {CDS: Rows(left, cds_split[left], lengths[left])}
    for kind in (DNA, RNA):
        chosen = np.flatnonzero(inventory.molecule[regions.contig] == kind)
        rows[kind] = Rows(chosen, regions.split[chosen], (regions.end - regions.start)[chosen])
    return Layout(inventory, regions, rows, cds_split, dropped)


def _tasks_of_kind(layout: Layout, kind: str, corpus: Path, records: Path) -> Iterator[ShardTask]:
    rows = layout.rows[kind]
    in_split, nucleotides = (0,) * len(SPLITS), (0,) * len(SPLITS)
    for number, (first, stop) in enumerate(_borders_of_shards(rows.num_nucleotides)):
        shard = Rows(rows.number[first:stop], rows.split[first:stop], rows.num_nucleotides[first:stop])
        make_parts = _cds_parts if kind == CDS else _region_parts
        yield ShardTask(
            corpus=corpus,
            record=records / f"{kind}-{number:05d}.json",
            kind=kind,
            number=number,
            parts=tuple(make_parts(layout, shard)),
            num_nucleotides=int(shard.num_nucleotides.sum()),
            first_row=first,
            first_in_split=in_split,
            nucleotides_before=nucleotides,
        )
        counts, sums = in_each_split(shard)
        in_split = tuple(a + b for a, b in zip(in_split, counts, strict=True))
        nucleotides = tuple(a + b for a, b in zip(nucleotides, sums, strict=True))


def _borders_of_shards(num_nucleotides: NDArray[np.int64]) -> Iterator[tuple[int, int]]:
    """First row and end of each shard; one without rows where there are none."""
    total = np.cumsum(num_nucleotides)
    first = 0
    while True:
        before = int(total[first - 1]) if first else 0
        stop = min(int(np.searchsorted(total, before + _SHARD_NUCLEOTIDES)) + 1, len(total))
        yield first, stop
        first = stop
        if first >= len(total):
            return


def _cds_parts(layout: Layout, shard: Rows) -> Iterator[CdsPart]:
    """The pairs of a shard by unit, with -1 for those between them that are left out."""
    for unit, (first, stop) in _by_unit(shard.number, layout.inventory.first_cds):
        own = shard.number[first:stop]
        split = np.full(own[-1] - own[0] + 1, _LEFT_OUT, dtype=np.int8)
        split[own - own[0]] = shard.split[first:stop]
        inventory = layout.inventory
        first_row = int(own[0] - inventory.first_cds[unit])
        yield CdsPart(inventory.folders[unit], first_row, split, inventory.renamed_of(unit))


def _region_parts(layout: Layout, shard: Rows) -> Iterator[RegionPart]:
    """The regions of a shard by unit."""
    regions, inventory = layout.regions, layout.inventory
    contig = regions.contig[shard.number]
    for unit, (first, stop) in _by_unit(contig, inventory.first_contig):
        own = shard.number[first:stop]
        yield RegionPart(
            inventory.folders[unit],
            contig[first:stop] - inventory.first_contig[unit],
            regions.start[own],
            regions.end[own],
            regions.split[own],
            inventory.renamed_of(unit),
        )


def _by_unit(
    numbers: NDArray[np.int64], first_of_unit: Sequence[int] | NDArray[np.int64]
) -> Iterator[tuple[int, tuple[int, int]]]:
    """Units that ascending numbers belong to, and the first and the end of each one's stretch."""
    borders = np.searchsorted(numbers, first_of_unit)
    for unit in np.flatnonzero(np.diff(borders)).tolist():
        yield unit, (int(borders[unit]), int(borders[unit + 1]))


def in_each_split(rows: Rows) -> tuple[list[int], list[int]]:
    """Rows and nucleotides of each split."""
    members = [rows.split == number for number in range(len(SPLITS))]
    return [int(member.sum()) for member in members], [
        int(rows.num_nucleotides[member].sum()) for member in members
    ]
