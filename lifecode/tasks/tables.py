"""Tables of predictions as files: CSV that spreadsheets open, or Parquet; whole or not at all."""

import csv
import io
from collections.abc import Iterable
from contextlib import ExitStack
from pathlib import Path

import pyarrow as pa
import pyarrow.csv as pa_csv
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
    write_tables([table], output)


def write_tables(tables: Iterable[pa.Table], output: Path) -> int:
    """Write tables of the same columns, at least one, behind each other as one; returns its rows.

    Raises:
        UserError: the file cannot be written.
    """
    num_rows, parquet = 0, None
    with disk_faults_named(output, remedy="Choose an output where you may write and which has room"):
        output.parent.mkdir(parents=True, exist_ok=True)
        with replacing(output) as file, ExitStack() as stack:
            for table in tables:
                if output.suffix == ".parquet":
                    if parquet is None:
                        parquet = stack.enter_context(pq.ParquetWriter(file, table.schema))
                    parquet.write_table(table)
                else:
                    separator = "\t" if output.suffix == ".tsv" else ","
                    file.write(_separated(table, separator, headed=num_rows == 0).encode())
                num_rows += len(table)
    return num_rows


def read_table_file(path: Path) -> pa.Table:
    """A table that `write_tables` wrote: ids are text, and so are classes; 007 stays 007."""
    if path.suffix == ".parquet":
        return pq.read_table(path)
    parsing = pa_csv.ParseOptions(delimiter="\t" if path.suffix == ".tsv" else ",")
    with pa_csv.open_csv(path, parse_options=parsing) as start:
        names = start.schema.names
    of_classes = any(name.startswith("p(") for name in names)
    texts = ("id", "label", "prediction") if of_classes else ("id",)
    options = pa_csv.ConvertOptions(column_types=dict.fromkeys(texts, pa.string()))
    return pa_csv.read_csv(path, parse_options=parsing, convert_options=options)


def _separated(table: pa.Table, separator: str, *, headed: bool) -> str:
    text = io.StringIO()
    writer = csv.writer(text, delimiter=separator, lineterminator="\n")
    if headed:
        writer.writerow(map(csv_cell, table.column_names))
    for row in zip(*(column.to_pylist() for column in table.columns), strict=True):
        writer.writerow(map(csv_cell, row))
    return text.getvalue()
