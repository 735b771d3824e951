"""Stage 3: the rows of one shard, from the folders of the units to Parquet and to their place in the cache.

A task knows everything that it writes and where, so tasks run in any order and any number at a time, and one
that is repeated writes the same bytes to the same places.
"""

import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from lifecode.data.corpus.cache import write_segments
from lifecode.data.corpus.shard_rows import CdsPart, RegionPart, num_nucleotides, row_groups
from lifecode.data.corpus.shards import CDS, SHARD_SCHEMA, letters, parquet_writer
from lifecode.data.splits.regions import SPLITS
from lifecode.host.checksum import file_entry, matches_entry, write_json


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
        for table in row_groups(task.kind, task.parts):
            writer.write_table(_published(table, task.kind))
            split = table["split"].to_numpy()
            for number, name in enumerate(SPLITS):
                chosen = np.flatnonzero(split == number)
                part = table if len(chosen) == len(table) else table.take(chosen).combine_chunks()
                write_segments(
                    task.corpus, task.kind, name, part, row + chosen, in_split[number], nucleotides[number]
                )
                in_split[number] += len(chosen)
                nucleotides[number] += num_nucleotides(part)
            row += len(table)
    unfinished.replace(task.path)
    write_json(task.record, {**file_entry(task.corpus, task.path), "rows": row - task.first_row})


def read_record(task: ShardTask) -> dict[str, Any] | None:
    """The manifest's entry of a shard that was written and is whole; None for another."""
    if not task.record.is_file():
        return None
    entry = json.loads(task.record.read_text())
    return entry if matches_entry(task.corpus, entry) else None


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
