"""Stage 3: the rows of one shard, from the folders of the units to Parquet and to their place in the cache.

A task knows everything that it writes and where, so tasks run in any order and any number at a time, and one
that is repeated writes the same bytes to the same places.
"""

import json
import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from lifecode.data.cache import write_segments
from lifecode.data.checksum import file_entry, matches_entry, write_json
from lifecode.data.regions import SPLITS
from lifecode.data.shards import CDS, DNA, SHARD_SCHEMA, large_binary, letters, parquet_writer
from lifecode.data.unit_folder import stored_nucleotides

_ROW_GROUP_NUCLEOTIDES = 2_000_000
_ROW_GROUP_ROWS = 50_000
_OF_CONTIG = ("contig", "source", "organism", "taxon", "molecule")
_OF_CDS = ("id", "start", "end", "strand", "exons", "genetic_code", "gene", "protein")


@dataclass(frozen=True, slots=True, eq=False)
class CdsPart:
    """Consecutive exact pairs of a unit.

    Attributes:
        folder: of the unit.
        first: row of `cds.parquet`.
        split: (num_rows,) int8 split number of that row and the next ones, -1 where one is left out.
    """

    folder: Path
    first: int
    split: NDArray[np.int8]


@dataclass(frozen=True, slots=True, eq=False)
class RegionPart:
    """Regions of a unit's contigs.

    Attributes:
        folder: of the unit.
        contig: (num_regions,) row of `contigs.parquet`.
        start: (num_regions,) on the contig.
        end: (num_regions,) exclusive.
        split: (num_regions,) int8 split number.
    """

    folder: Path
    contig: NDArray[np.int64]
    start: NDArray[np.int64]
    end: NDArray[np.int64]
    split: NDArray[np.int8]


@dataclass(frozen=True, slots=True, eq=False)
class ShardTask:
    """One shard to write.

    Attributes:
        corpus: folder that will be the corpus.
        record: file to say so when it is done.
        kind: cds, dna or rna.
        number: of the shard among those of its kind.
        parts: where its rows are.
        num_nucleotides: of all its rows.
        first_row: number of its first row among those of its kind.
        first_in_split: for each split the number of rows of its kind in the shards before.
        nucleotides_before: for each split the nucleotides of these.
    """

    corpus: Path
    record: Path
    kind: str
    number: int
    parts: tuple[CdsPart | RegionPart, ...]
    num_nucleotides: int
    first_row: int
    first_in_split: tuple[int, ...]
    nucleotides_before: tuple[int, ...]

    @property
    def path(self) -> Path:
        """The shard."""
        return self.corpus / "shards" / f"{self.kind}-{self.number:05d}.parquet"


def write_shard(task: ShardTask) -> None:
    """Write a shard and its part of the cache, unless its record says that this was done."""
    if read_record(task) is not None:
        return
    row, in_split, nucleotides = task.first_row, list(task.first_in_split), list(task.nucleotides_before)
    unfinished = task.record.with_name(f"{task.path.name}.{os.getpid()}")
    with parquet_writer(unfinished, SHARD_SCHEMA) as writer:
        for table in _regrouped(_tables(task)):
            writer.write_table(_published(table, task.kind))
            split = table["split"].to_numpy()
            for number, name in enumerate(SPLITS):
                chosen = np.flatnonzero(split == number)
                part = table if len(chosen) == len(table) else table.take(chosen).combine_chunks()
                write_segments(
                    task.corpus, task.kind, name, part, row + chosen, in_split[number], nucleotides[number]
                )
                in_split[number] += len(chosen)
                nucleotides[number] += _num_nucleotides(part)
            row += len(table)
    unfinished.replace(task.path)
    write_json(task.record, {**file_entry(task.corpus, task.path), "rows": row - task.first_row})


def read_record(task: ShardTask) -> dict[str, Any] | None:
    """The manifest's entry of a shard that was written and is whole; None for another."""
    if not task.record.is_file():
        return None
    entry = json.loads(task.record.read_text())
    return entry if matches_entry(task.corpus, entry) else None


def _tables(task: ShardTask) -> Iterator[pa.Table]:
    """The rows of a shard: columns of a shard with `split` as number and sequences as ids."""
    for part in task.parts:
        contigs = pq.read_table(part.folder / "contigs.parquet")
        yield from (
            _pairs(part, contigs) if isinstance(part, CdsPart) else _stretches(part, contigs, task.kind)
        )


def _pairs(part: CdsPart, contigs: pa.Table) -> Iterator[pa.Table]:
    """Exact pairs, a row group of the unit at a time."""
    with pq.ParquetFile(part.folder / "cds.parquet") as file:
        first, stop = 0, part.first + len(part.split)
        columns = [*_OF_CDS, "contig_number", "nucleotides", "amino_acids"]
        for group in range(file.num_row_groups):
            num_rows = file.metadata.row_group(group).num_rows
            begin, end = max(first, part.first), min(first + num_rows, stop)
            if begin < end:
                table = file.read_row_group(group, columns=columns).slice(begin - first, end - begin)
                split = part.split[begin - part.first : end - part.first]
                table, split = table.filter(pa.array(split >= 0)), split[split >= 0]
                yield _table(
                    {name: table[name] for name in (*_OF_CDS, "nucleotides", "amino_acids")},
                    contigs.take(table["contig_number"]),
                    split,
                )
            first += num_rows


def _stretches(part: RegionPart, contigs: pa.Table, kind: str) -> Iterator[pa.Table]:
    """Regions of contigs, as many at a time as make a row group."""
    begins = stored_nucleotides(contigs)[part.contig] + part.start
    lengths = part.end - part.start
    group = np.cumsum(lengths) // _ROW_GROUP_NUCLEOTIDES
    borders = np.flatnonzero(np.diff(group, prepend=-1, append=-2))
    for first, stop in pairwise(borders.tolist()):
        rows = slice(first, stop)
        origin = contigs.take(pa.array(part.contig[rows]))
        places = list(zip(part.start[rows].tolist(), part.end[rows].tolist(), strict=True))
        names = origin["contig"].to_pylist()
        nothing = pa.nulls(len(places), pa.string())
        sequences = _read(part.folder / "nucleotides.bin", begins[rows], lengths[rows])
        columns = {
            "id": [f"{name}:{a}-{b}" for name, (a, b) in zip(names, places, strict=True)]
            if kind == DNA
            else names,
            "start": part.start[rows],
            "end": part.end[rows],
            "strand": np.ones(len(places), dtype=np.int8),
            "exons": [f"{a}..{b}(+)" for a, b in places],
            "genetic_code": origin["genetic_code"],
            "gene": nothing,
            "protein": nothing,
            "nucleotides": large_binary(sequences, lengths[rows]),
            "amino_acids": large_binary(sequences[:0], np.zeros_like(lengths[rows])),
        }
        yield _table(columns, origin, part.split[rows])


def _read(path: Path, begins: NDArray[np.int64], lengths: NDArray[np.int64]) -> NDArray[np.uint8]:
    """Stretches of a file, one after another."""
    ids = np.empty(int(lengths.sum()), dtype=np.uint8)
    filled = 0
    with path.open("rb") as file:
        for begin, length in zip(begins.tolist(), lengths.tolist(), strict=True):
            file.seek(begin)
            file.readinto(ids[filled : filled + length].data)
            filled += length
    return ids


def _table(columns: dict[str, Any], origin: pa.Table, split: NDArray[np.int8]) -> pa.Table:
    """Columns of rows with those of their contigs."""
    return pa.table({**columns, **{name: origin[name] for name in _OF_CONTIG}, "split": split})


def _regrouped(tables: Iterable[pa.Table]) -> Iterator[pa.Table]:
    """The same rows in larger tables, each a row group: small ones are joined for as long as they fit."""
    waiting: list[pa.Table] = []
    num_nucleotides = num_rows = 0
    for table in tables:
        more = _num_nucleotides(table)
        if waiting and (
            num_nucleotides + more > _ROW_GROUP_NUCLEOTIDES or num_rows + len(table) > _ROW_GROUP_ROWS
        ):
            yield pa.concat_tables(waiting).combine_chunks()
            waiting, num_nucleotides, num_rows = [], 0, 0
        waiting.append(table)
        num_nucleotides, num_rows = num_nucleotides + more, num_rows + len(table)
    if num_rows:
        yield pa.concat_tables(waiting).combine_chunks()


def _num_nucleotides(table: pa.Table) -> int:
    lengths = pa.compute.binary_length(table["nucleotides"])  # pyright: ignore[reportAttributeAccessIssue]
    return pa.compute.sum(lengths).as_py() or 0  # pyright: ignore[reportAttributeAccessIssue]


def _published(table: pa.Table, kind: str) -> pa.Table:
    """The rows as `SHARD_SCHEMA` has them."""
    (ids,) = table["nucleotides"].chunks
    columns = {name: table[name] for name in table.column_names}
    columns |= {
        "kind": pa.repeat(kind, len(table)),
        "split": pa.array(SPLITS).take(table["split"]),
        "nucleotides": letters(ids),
    }
    if kind != CDS:
        columns["protein"] = pa.nulls(len(table), pa.string())
    return pa.table([columns[field.name] for field in SHARD_SCHEMA], schema=SHARD_SCHEMA)
