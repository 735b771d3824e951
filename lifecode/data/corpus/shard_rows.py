"""The rows of a shard, out of the folders of the units, a row group at a time."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from numpy.typing import NDArray

from lifecode.data.corpus.shards import DNA, ROW_GROUP_NUCLEOTIDES, ROW_GROUP_ROWS, large_binary
from lifecode.data.corpus.unit_folder import stored_nucleotides, with_names

_OF_CONTIG = ("contig", "source", "organism", "taxon", "molecule")
_OF_CDS = ("id", "start", "end", "strand", "exons", "genetic_code", "gene", "protein", "protein_source")


@dataclass(frozen=True, slots=True, eq=False)
class CdsPart:
    """Consecutive exact pairs of a unit.

    Attributes:
        folder: of the unit.
        first: row of `cds.parquet`.
        split: (num_rows,) int8 split number of that row and the next ones, -1 where one is left out.
        renamed: new names of the unit's contigs that have one, by row of `contigs.parquet`.
    """

    folder: Path
    first: int
    split: NDArray[np.int8]
    renamed: Mapping[int, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, eq=False)
class RegionPart:
    """Regions of a unit's contigs.

    Attributes:
        folder: of the unit.
        contig: (num_regions,) row of `contigs.parquet`.
        start: (num_regions,) on the contig.
        end: (num_regions,) exclusive.
        split: (num_regions,) int8 split number.
        renamed: as of a `CdsPart`.
    """

    folder: Path
    contig: NDArray[np.int64]
    start: NDArray[np.int64]
    end: NDArray[np.int64]
    split: NDArray[np.int8]
    renamed: Mapping[int, str] = field(default_factory=dict)


def row_groups(kind: str, parts: Iterable[CdsPart | RegionPart]) -> Iterator[pa.Table]:
    """The rows of the parts in tables of about a row group each.

    Columns are those of a shard, but `split` as its number and `nucleotides` and `amino_acids` as ids.
    """
    return _regrouped(_tables(kind, parts))


def num_nucleotides(table: pa.Table) -> int:
    """Nucleotides of all rows of such a table."""
    return pc.sum(pc.binary_length(table["nucleotides"])).as_py() or 0  # pyright: ignore


def _tables(kind: str, parts: Iterable[CdsPart | RegionPart]) -> Iterator[pa.Table]:
    """The rows part by part, each part in tables of at most a row group."""
    for part in parts:
        contigs = with_names(pq.read_table(part.folder / "contigs.parquet"), part.renamed)
        yield from _pairs(part, contigs) if isinstance(part, CdsPart) else _stretches(part, contigs, kind)


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
    group = np.cumsum(lengths) // ROW_GROUP_NUCLEOTIDES
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
            "protein_source": nothing,
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
    filled = rows = 0
    for table in tables:
        more = num_nucleotides(table)
        if waiting and (filled + more > ROW_GROUP_NUCLEOTIDES or rows + len(table) > ROW_GROUP_ROWS):
            yield pa.concat_tables(waiting).combine_chunks()
            waiting, filled, rows = [], 0, 0
        waiting.append(table)
        filled, rows = filled + more, rows + len(table)
    if rows:
        yield pa.concat_tables(waiting).combine_chunks()
