"""Tables of predictions as files: CSV that spreadsheets open, or Parquet; whole or not at all."""

import csv
import io
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from lifecode.errors import UserError
from lifecode.host.durable import disk_faults_named, replacing
from lifecode.names import csv_cell

_WRITERS = (".csv", ".tsv", ".parquet")


def require_table_name(output: Path) -> None:
    """Raises a `UserError` unless the file can be told to be CSV, TSV or Parquet, and is not there yet."""
    if output.suffix not in _WRITERS:
        raise UserError(
            "is none of .csv, .tsv and .parquet", source=output, remedy=f"Write output={output}.csv"
        )
    if output.exists():
        raise UserError("is there already", source=output, remedy="Choose another output, or delete this one")


def write_table(table: pa.Table, output: Path) -> None:
    """Write a table as its file name says.

    Raises:
        UserError: the file cannot be written.
    """
    with disk_faults_named(output, remedy="Choose an output where you may write and which has room"):
        output.parent.mkdir(parents=True, exist_ok=True)
        with replacing(output) as file:
            if output.suffix == ".parquet":
                pq.write_table(table, file)
            else:
                file.write(_separated(table, "\t" if output.suffix == ".tsv" else ",").encode())


def _separated(table: pa.Table, separator: str) -> str:
    text = io.StringIO()
    writer = csv.writer(text, delimiter=separator, lineterminator="\n")
    writer.writerow(map(csv_cell, table.column_names))
    for row in zip(*(column.to_pylist() for column in table.columns), strict=True):
        writer.writerow(map(csv_cell, row))
    return text.getvalue()
