"""Rows on their way into a Parquet file, one at a time in, a bounded row group at a time out."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from lifecode.data.corpus.shards import ROW_GROUP_NUCLEOTIDES, ROW_GROUP_ROWS, large_binary, parquet_writer


@dataclass(slots=True)
class RowWriter:
    """Rows on their way into a Parquet file, a bounded row group at a time."""

    path: Path
    schema: pa.Schema
    rows: list[dict[str, Any]] = field(default_factory=list)
    num_nucleotides: int = 0
    writer: pq.ParquetWriter | None = None

    def __enter__(self) -> "RowWriter":
        self.writer = parquet_writer(self.path, self.schema)
        return self

    def __exit__(self, *_: object) -> None:
        assert self.writer is not None
        self._flush()
        self.writer.close()

    def add(self, row: dict[str, Any], *, num_nucleotides: int = 0) -> None:
        """Take in a row; its sequences are arrays of ids."""
        self.rows.append(row)
        self.num_nucleotides += num_nucleotides
        if self.num_nucleotides >= ROW_GROUP_NUCLEOTIDES or len(self.rows) >= ROW_GROUP_ROWS:
            self._flush()

    def _flush(self) -> None:
        assert self.writer is not None
        if self.rows:
            self.writer.write_table(
                pa.Table.from_arrays([self._column(f) for f in self.schema], schema=self.schema)
            )
        self.rows, self.num_nucleotides = [], 0

    def _column(self, wanted: pa.Field) -> pa.Array:
        values = [row[wanted.name] for row in self.rows]
        if wanted.type == pa.large_binary():
            return large_binary(np.concatenate(values), np.array([len(value) for value in values]))
        return pa.array(values, type=wanted.type)
