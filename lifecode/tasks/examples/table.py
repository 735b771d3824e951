"""A file of a user as columns of text: CSV, TSV, semicolons, Parquet or FASTA, plain or compressed.

All of a file is held in memory. A FASTA record gives the columns `id`, `sequence` and, where each header says
`label=VALUE`, `label`. Text is UTF-8 or else Windows-1252; lists of texts or numbers, which Parquet may hold,
are read as they would be written in JSON. What spreadsheets and R write around a table is passed over:
comments and `sep=;` above the header, row names, empty rows and columns.
"""

import functools
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pa_csv
import pyarrow.parquet as pq

from lifecode.data.formats.fasta import fasta_records
from lifecode.data.formats.foreign_formats import foreign_format
from lifecode.data.formats.opening import opened
from lifecode.errors import UserError
from lifecode.tasks.examples.table_header import QUOTED, Header, header_of, separator_of

_LONGEST_ROW_BYTES = 1 << 28
_ROW = re.compile(r"Row #(\d+)")
_FIRST_BYTES = 1 << 16
_MOST_BYTES_ABOVE = 1 << 24
"""That comments, the header and the first rows may have."""
_FASTA_LABEL = re.compile(r"\blabel=([^\s\]]+)")
_WITHOUT_WIDTH = str.maketrans("", "", "\u200b\u2060\ufeff")


@dataclass(frozen=True, slots=True)
class Table:
    """Columns of text, all of one length.

    Attributes:
        source: name of the file.
        columns: by their names, in the order of the file.
        first: rows of the file before these.
        kept: numbers of the rows in the file, from 1 on, where some of them were left out.
    """

    source: str
    columns: Mapping[str, list[str]]
    first: int = 0
    kept: Sequence[int] | None = None

    def __len__(self) -> int:
        return len(next(iter(self.columns.values()), []))

    @property
    def rows(self) -> Sequence[int]:
        """Number of each row in the file, from 1 on."""
        return range(self.first + 1, self.first + len(self) + 1) if self.kept is None else self.kept

    def at(self, places: Sequence[int]) -> "Table":
        """Some of the rows."""
        columns = {name: [values[i] for i in places] for name, values in self.columns.items()}
        return replace(self, columns=columns, kept=[self.rows[i] for i in places])

    def column(self, name: str, key: str) -> list[str]:
        """The values of a column that the config key `key` names.

        Raises:
            UserError: there is no such column.
        """
        if name not in self.columns:
            raise UserError(
                f"has no column {name!r}; its columns are {', '.join(self.columns)}",
                source=self.source,
                remedy=f"Give one of them as {key}=...",
            )
        return self.columns[name]


def read_table(path: str | Path, names: Sequence[str] | None = None) -> Table:
    """The file as text, without white space around names and values.

    Args:
        path: of the file.
        names: of the columns of a separated file without a header; None reads them from its first line.

    Raises:
        UserError: no such file, an empty one, a row with another number of columns than the header, a column
            twice, a header that is no header, or a FASTA record without a name or letters.
    """
    path = Path(path).expanduser()
    require_file(path)
    with path.open("rb") as raw:
        if raw.read(4) == b"PAR1":
            return _parquet(path)
    with opened(path) as handle:
        content = handle.read()
    if not content.strip():
        raise UserError("the file is empty", source=path)
    require_table(content[:_FIRST_BYTES], path)
    if content.lstrip().startswith(b">"):
        return _fasta(path)
    return separated(content, path, names)


def require_file(path: Path) -> None:
    """Raises a `UserError` where there is no file."""
    if not path.is_file():
        raise UserError(
            "there is no such file", source=path, remedy="Give the path of a CSV, TSV, Parquet or FASTA file"
        )


def require_table(start: bytes, path: Path) -> None:
    """Raises a `UserError` where the first bytes of a file are those of another format than a table's."""
    found = foreign_format(start)
    name = found.name if found is not None else "JSON" if start.lstrip().startswith(b"[") else None
    if name is not None:
        workbook = ", perhaps an Excel workbook" if start.startswith(b"PK") else ""
        raise UserError(f"is {name}{workbook}", source=path, remedy="Give CSV, TSV, Parquet or FASTA")


def separated(content: bytes, path: Path, given: Sequence[str] | None = None) -> Table:
    """A header and rows that commas, tabs, semicolons or blanks divide.

    Args:
        content: of the file.
        path: of the file.
        given: names of the columns of a file without a header.

    Raises:
        UserError: as `read_table`.
    """
    if given is None:
        header, end = header_of(content[:_MOST_BYTES_ABOVE])
        return rows_below(header, content[end:], path)
    separator = separator_of(content.lstrip(b"\n").partition(b"\n")[0], b"")
    return rows_below(Header(separator.join(name.encode() for name in given), separator), content, path)


def rows_below(header: Header, content: bytes, path: Path, *, first: int = 0) -> Table:
    """The table of rows, or some of them, without those and the nameless columns in which nothing stands.

    Args:
        header: of the file.
        content: rows.
        path: of the file.
        first: rows of the file before these.

    Raises:
        UserError: as `read_table`.
    """
    content, separator = _as_utf8(header.line + b"\n" + content), header.separator
    if re.search(separator + rb' +"', content.partition(b"\n")[0]):
        content = _without_blanks_before_quotes(content, separator)
    names = _parsed(content.partition(b"\n")[0] + b"\n", separator, None, path).column_names
    table = _parsed(content, separator, names, path, first)
    filled = [pc.greater(pc.binary_length(pc.utf8_trim_whitespace(each)), 0) for each in table.columns]  # pyright: ignore[reportAttributeAccessIssue]
    table = table.filter(functools.reduce(pc.or_, filled)) if len(table) else table  # pyright: ignore[reportAttributeAccessIssue]
    kept = [i for i, name in enumerate(names) if name.strip() or pc.any(filled[i]).as_py()]  # pyright: ignore[reportAttributeAccessIssue]
    if sum(not names[i].strip() for i in kept) > 1:
        raise UserError(
            "has several columns without a name",
            source=path,
            remedy="Name them in the first line, and remove what stands above it",
        )
    columns = {names[i].strip(): table.column(i) for i in kept}
    return Table(str(path), text_columns(columns, [names[i] for i in kept], path), first)


def _as_utf8(content: bytes) -> bytes:
    """The content, of which what is no UTF-8 is taken for Windows-1252, as spreadsheets write it."""
    try:
        content.decode()
    except UnicodeDecodeError:
        return content.decode("cp1252", errors="replace").encode()
    return content


def _without_blanks_before_quotes(content: bytes, separator: bytes) -> bytes:
    """The content with each quote that opens a value right behind the separator; quoted values stay."""
    parts = re.compile(QUOTED.pattern + rb"|" + separator + rb' +(?=")')
    return parts.sub(lambda found: found[0] if found[0].startswith(b'"') else separator, content)


def _parsed(
    content: bytes, separator: bytes, names: Sequence[str] | None, path: Path, first: int = 0
) -> pa.Table:
    try:
        return pa_csv.read_csv(
            pa.BufferReader(content),
            read_options=pa_csv.ReadOptions(
                block_size=max(1 << 20, min(len(content) + 1, _LONGEST_ROW_BYTES)), use_threads=False
            ),
            parse_options=pa_csv.ParseOptions(delimiter=separator.decode(), newlines_in_values=True),
            convert_options=pa_csv.ConvertOptions(
                column_types={name: pa.string() for name in names or ()}, strings_can_be_null=False
            ),
        )
    except pa.ArrowInvalid as fault:
        problem = str(fault).partition(": ")[2] or str(fault)
        problem = _ROW.sub(lambda found: f"row {int(found[1]) - 1 + first}", problem)
        raise UserError(
            f"is no table with one header and equal rows ({problem[:200]})",
            source=path,
            remedy="Name every column in the first line (R: col.names=NA), and give each row as many values",
        ) from fault


def parquet_file(path: Path) -> pq.ParquetFile:
    """An open Parquet file.

    Raises:
        UserError: it is no whole one.
    """
    try:
        return pq.ParquetFile(path)
    except (pa.ArrowInvalid, OSError) as fault:
        raise UserError(f"is no whole Parquet file ({fault})", source=path) from fault


def _parquet(path: Path) -> Table:
    try:
        table = parquet_file(path).read()
    except (pa.ArrowInvalid, OSError) as fault:
        raise UserError(f"is no whole Parquet file ({fault})", source=path) from fault
    names = table.column_names
    columns = {name: table.column(i) for i, name in enumerate(names)}
    return Table(str(path), text_columns(columns, names, path))


def text_columns(
    columns: Mapping[str, pa.ChunkedArray | pa.Array], names: Sequence[str], path: Path
) -> dict[str, list[str]]:
    """Columns as text, without white space around the values; nested ones are left out but for plain lists.

    Raises:
        UserError: a name stands twice, or there are no rows.
    """
    if len(columns) < len(names):
        twice = next(name for name in names if [n.strip() for n in names].count(name.strip()) > 1)
        raise UserError(f"has the column {twice.strip()!r} twice", source=path, remedy="Rename one of them")
    texts = {
        name: [_text(value) for value in column.to_pylist()]
        for name, column in columns.items()
        if not pa.types.is_nested(column.type) or _is_plain_list(column.type)
    }
    if not texts or not len(next(iter(texts.values()))):
        raise UserError("has no rows", source=path, remedy="Give a header, and below it one row an example")
    return texts


def _text(value: Any) -> str:
    if isinstance(value, bytes):
        value = value.decode("latin-1")
    if isinstance(value, list):
        value = json.dumps(value, ensure_ascii=False)
    return "" if value is None else str(value).translate(_WITHOUT_WIDTH).strip()


def _is_plain_list(kind: pa.DataType) -> bool:
    """Whether values are lists of texts or numbers, as labels may be."""
    if not (pa.types.is_list(kind) or pa.types.is_large_list(kind) or pa.types.is_fixed_size_list(kind)):
        return False
    inner = kind.value_type
    numbers = pa.types.is_integer(inner) or pa.types.is_floating(inner) or pa.types.is_boolean(inner)
    return numbers or pa.types.is_string(inner) or pa.types.is_large_string(inner)


def _fasta(path: Path) -> Table:
    def refuse(fault: UserError) -> None:
        raise fault

    with opened(path) as handle:
        records = list(fasta_records(handle, str(path), refuse))
    columns = {
        "id": [record.name for record in records],
        "sequence": [record.letters.decode("latin-1") for record in records],
    }
    labels = [_FASTA_LABEL.search(record.description) for record in records]
    if any(labels):
        missing = next(
            (record.name for record, label in zip(records, labels, strict=True) if not label), None
        )
        if missing is not None:
            raise UserError(
                "says no label=VALUE, and others do", source=path, record=missing, remedy="Add it"
            )
        columns["label"] = [label[1] for label in labels if label]
    return Table(str(path), columns)
