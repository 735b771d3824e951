"""A table of any size, some rows at a time, in memory that does not grow with the file."""

from collections.abc import Iterator
from itertools import chain, islice
from pathlib import Path

import pyarrow.parquet as pq

from lifecode.data.formats.fasta import fasta_records
from lifecode.data.formats.opening import opened
from lifecode.errors import UserError
from lifecode.tasks.examples.table import (
    Table,
    parquet_file,
    require_file,
    require_table,
    rows_below,
    text_columns,
)
from lifecode.tasks.examples.table_header import header_of

_LINES_OF_HEADER = 1_000
"""That comments above a header may have."""
_OF_EMPTY_ROWS = b' \t\r\n"'


def table_parts(path: str | Path, rows: int) -> Iterator[Table]:
    """The rows of a file in their order, as `read_table` reads them; of FASTA `id` and `sequence`.

    Args:
        path: CSV, TSV, semicolons, Parquet or FASTA, plain or compressed.
        rows: of each part; the last may have fewer.

    Raises:
        UserError: as `read_table`, when the rows come to it.
    """
    path = Path(path).expanduser()
    require_file(path)
    with path.open("rb") as raw:
        if raw.read(4) == b"PAR1":
            yield from _of_parquet(path, rows)
            return
    with opened(path) as handle:
        begins = handle.peek()  # pyright: ignore[reportAttributeAccessIssue]
        start = next((line for line in handle if line.strip()), b"")
    if not start:
        raise UserError("the file is empty", source=path)
    require_table(begins, path)
    yield from _of_fasta(path, rows) if start.lstrip().startswith(b">") else _of_lines(path, rows)


def _of_parquet(path: Path, rows: int) -> Iterator[Table]:
    first = 0
    file: pq.ParquetFile = parquet_file(path)
    for batch in file.iter_batches(batch_size=rows):
        names = batch.schema.names
        columns = text_columns({name: batch.column(i) for i, name in enumerate(names)}, names, path)
        yield Table(str(path), columns, first)
        first += batch.num_rows


def _of_fasta(path: Path, rows: int) -> Iterator[Table]:
    def refuse(fault: UserError) -> None:
        raise fault

    first = 0
    with opened(path) as handle:
        records = fasta_records(handle, str(path), refuse)
        while part := list(islice(records, rows)):
            columns = {
                "id": [record.name for record in part],
                "sequence": [record.letters.decode("latin-1") for record in part],
            }
            yield Table(str(path), columns, first)
            first += len(part)


def _of_lines(path: Path, rows: int) -> Iterator[Table]:
    with opened(path) as handle:
        start = b"".join(islice(handle, _LINES_OF_HEADER))
        header, end = header_of(start)
        waiting, first = chain(start[end:].splitlines(keepends=True), handle), 0
        while lines := list(islice(waiting, rows)):
            while sum(line.count(b'"') for line in lines) % 2:  # a value goes over the end of a line
                more = next(waiting, None)
                if more is None:
                    break
                lines.append(more)
            content = b"".join(lines)
            if content.strip(_OF_EMPTY_ROWS + header.separator):
                table = rows_below(header, content, path, first=first)
                yield table
                first += len(table)
        if first == 0:
            rows_below(header, b"", path)  # which says that there are no rows
