"""Sequences that a table has by their names alone, in a FASTA file beside it."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from lifecode.data.formats.fasta import fasta_records
from lifecode.data.formats.opening import opened
from lifecode.errors import UserError
from lifecode.tasks.examples.table import Table

LETTERS = "letters"
"""Column that is made of names."""
_LOOKED_AT = 1_000


def letters_of_rows(
    table: Table, column: str, key: str, by_name: Mapping[str, str] | None, path: str | None
) -> list[str]:
    """The letters of each row, which stand in a column or under the name that does.

    Args:
        table: of rows.
        column: of the letters, or of their names.
        key: config key that names the column.
        by_name: letters by name; None where they stand in the column.
        path: of the file that these come from.

    Raises:
        UserError: there is no such column, an empty cell, or a name without a record; the row is named.
    """
    values = table.column(column, key)
    for row, value in enumerate(values, start=table.first + 1):
        if not value or (by_name is not None and value not in by_name):
            problem = f"{value!r} is no record of {path}" if value else f"column {column!r} is empty"
            raise UserError(
                problem, source=table.source, record=f"in row {row}", remedy="Remove the row, or add it"
            )
    return values if by_name is None else [by_name[value] for value in values]


def fasta_by_name(path: str | None) -> dict[str, str] | None:
    """The letters of each record of a FASTA file; None without one."""
    if path is None:
        return None
    file = Path(path).expanduser()
    if not file.is_file():
        raise UserError("there is no such file", source=file, remedy="Give the FASTA file of the sequences")

    def refuse(fault: UserError) -> None:
        raise fault

    found: dict[str, str] = {}
    with opened(file) as handle:
        for record in fasta_records(handle, str(file), refuse):
            letters = record.letters.decode("latin-1")
            if found.setdefault(record.name, letters) != letters:
                raise UserError(
                    "two sequences have this name", source=file, record=record.name, remedy="Rename one"
                )
    return found


def column_of_names(table: Table, by_name: Mapping[str, str], path: str) -> str:
    """The first column whose first values are all names of records.

    Raises:
        UserError: there is none.
    """
    for name, values in table.columns.items():
        if by_name.keys() >= {*values[:_LOOKED_AT]}:
            return name
    raise UserError(
        f"has no column of names of {path}", source=table.source, remedy="Name it: task.sequence=..."
    )


def with_letters(table: Table, by_name: Mapping[str, str], path: str, column: str) -> Table:
    """The same table with the letters of its rows in `LETTERS`.

    Args:
        table: of rows.
        by_name: letters by name.
        path: of the file that these come from.
        column: of the names.

    Raises:
        UserError: no such column, or a name without a record; the row is named.
    """
    letters = letters_of_rows(table, column, "task.sequence", by_name, path)
    others = {name: values for name, values in table.columns.items() if name != LETTERS}
    return replace(table, columns={**others, LETTERS: letters})
