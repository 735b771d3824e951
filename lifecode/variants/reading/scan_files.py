"""Mutational scans out of files and frames: ProteinGym's, MaveDB's and others with a column of mutations.

Each mutation is checked against the wild type, with the number that its first residue has in the file. Where
there are mutated sequences alone, they are compared with the wild type.
"""

import csv
import io
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from lifecode.data.formats.opening import opened
from lifecode.errors import UserError
from lifecode.names import display_name
from lifecode.tasks.examples.table import read_table, require_table
from lifecode.variants.reading.mutant_names import NO_RESIDUE, Mutation, mutations_of, name_of

_COLUMNS = (
    "mutant", "mutants", "mutation", "mutations", "hgvs_pro", "hgvs_p", "aa_mutation", "aa_mutations",
    "aa_substitution", "aa_substitutions", "aa_change", "variant", "variants",
)  # fmt: skip
"""By what name a column of mutations is found, the first first."""
_SEQUENCES = "mutated_sequence"
_LEAST_ALIKE = 0.5
"""Share of the residues that a mutated sequence has to have in common with the wild type."""

_MOST_OFFSETS = 3
"""That an error names."""
_FIRST_BYTES = 1 << 16


class Substitution(NamedTuple):
    """A residue that becomes another; `place` is 0-based in the wild type.

    `new` is `NO_RESIDUE` where the file names a deletion, an insertion or a frameshift there, or nothing.
    """

    place: int
    old: str
    new: str


class Scan(NamedTuple):
    """Mutants of a file.

    Attributes:
        source: its name.
        names: as written, one a row.
        mutants: substitutions of each; none for the wild type.
        lines: where each stands.
    """

    source: str
    names: list[str]
    mutants: list[tuple[Substitution, ...]]
    lines: list[int]


def read_scan(path: str | Path, protein: str, offset: int = 1) -> Scan:
    """The mutants of a CSV, TSV or Parquet file, each residue checked against the wild type.

    Args:
        path: of the file; its first line names a column `mutant`, or another of the names that scans have.
        protein: wild type, one letter a residue.
        offset: number that its first residue has in the file.

    Raises:
        UserError: the file cannot be read, or a mutation does not fit the wild type; the row is named.
    """
    file = Path(path).expanduser()
    if not file.is_file():
        raise UserError("no such file", source=path, remedy="Give a CSV or TSV file of mutants")
    with opened(file) as handle:
        content = handle.read()
    if content.startswith(b"PAR1"):
        return scan_of_columns(read_table(file).columns, protein, offset, str(path))
    require_table(content[:_FIRST_BYTES], file)
    text = content.decode("utf-8", errors="replace").lstrip("\ufeff")
    head = text.partition("\n")[0]
    separator = max(",\t;", key=head.count)
    rows = csv.reader(io.StringIO(text, newline=""), delimiter=separator, strict=True)
    values, lines = [], []

    def fault(problem: str) -> UserError:
        where = f"line {rows.line_num}"
        return UserError(problem, source=path, record=where, remedy="Check that the file is complete")

    try:
        header = next(rows, [])
        place = header.index(_column_of(header, str(path)))
        for row in filter(None, rows):
            if len(row) <= place:
                raise fault(f"the row has {len(row)} columns, and the mutant stands in number {place + 1}")
            values.append(row[place])
            lines.append(rows.line_num)
    except csv.Error as error:
        raise fault(f"cannot be divided into columns ({error})") from error
    return scan_of_columns({header[place]: values}, protein, offset, str(path), lines)


def scan_of_columns(
    columns: Mapping[str, Iterable[object]],
    protein: str,
    offset: int = 1,
    source: str = "the frame",
    lines: Sequence[int] = (),
) -> Scan:
    """The same of the columns of a table, or of a frame, by their names."""
    name = _column_of(list(columns), source)
    values = list(map(str, columns[name]))
    if _as_known(name) != _SEQUENCES:
        return scan_of(values, protein, offset, source, lines)
    numbers = list(lines) or list(range(1, len(values) + 1))
    given = zip(values, numbers, strict=True)
    names = [_compared(sequence, protein, offset, source, line) for sequence, line in given]
    return scan_of(names, protein, offset, source, numbers)


def scan_of(
    names: Sequence[str], protein: str, offset: int = 1, source: str = "the list", lines: Sequence[int] = ()
) -> Scan:
    """The same of mutants in memory; rows are counted from 1."""
    names = list(map(str, names))
    numbers = list(lines) or list(range(1, len(names) + 1))
    if not names:
        raise UserError("has no mutant", source=source, remedy="Check that the file is complete")
    rows = [_mutations(name, source, line) for name, line in zip(names, numbers, strict=True)]
    mutants = []
    for row, line in zip(rows, numbers, strict=True):
        for one in row or ():
            if not _fits(one, protein, offset):
                raise _misfit(one, protein, offset, rows, source, line)
        mutants.append(
            (Substitution(0, protein[0], NO_RESIDUE),)
            if row is None
            else tuple(Substitution(one.number - offset, one.old, _new(one, protein, offset)) for one in row)
        )
    return Scan(source, names, mutants, numbers)


def _column_of(header: Sequence[str], source: str) -> str:
    """The column of mutations, or else that of mutated sequences."""
    known = {_as_known(name): name for name in reversed(header)}
    found = next((known[name] for name in (*_COLUMNS, _SEQUENCES) if name in known), None)
    if found is None:
        raise UserError(
            f"no column of it is called {', '.join(_COLUMNS[:-1])} or {_COLUMNS[-1]}, nor {_SEQUENCES}",
            source=source,
            remedy="Name the column of mutations, such as H24C or A24C:D30E, mutant",
        )
    return found


def _as_known(name: str) -> str:
    return str(name).strip().lower()


def _mutations(name: str, source: str, line: int) -> list[Mutation] | None:
    try:
        return mutations_of(name)
    except ValueError as fault:
        raise UserError(
            f"{display_name(fault, 40)!r} is no substitution",
            source=source,
            record=f"line {line}",
            remedy="Write the old residue, its number and the new one, as in H24C; several by :",
        ) from fault


def _fits(one: Mutation, protein: str, offset: int) -> bool:
    place = one.number - offset
    return (0 <= place < len(protein) and protein[place] == one.old) or _is_stop(one, protein, offset)


def _is_stop(one: Mutation, protein: str, offset: int) -> bool:
    """Whether it is the stop behind the last residue, which a wild type is without."""
    return one.old == "*" and one.number - offset == len(protein)


def _new(one: Mutation, protein: str, offset: int) -> str:
    return NO_RESIDUE if _is_stop(one, protein, offset) else one.new


def _misfit(
    one: Mutation,
    protein: str,
    offset: int,
    rows: Sequence[Sequence[Mutation] | None],
    source: str,
    line: int,
) -> UserError:
    """The fault of a mutation that does not fit, with the offset by which all rows would."""
    place = one.number - offset
    at = protein[place] if 0 <= place < len(protein) else None
    nothing = f"nothing at {one.number} ({len(protein)} residues from {offset} on)"
    there = f"{at}{one.number}" if at else nothing
    distinct = {each[:2]: each for row in rows for each in row or ()}.values()
    offsets = [one.number - i for i, residue in enumerate(protein) if residue == one.old]
    fitting = [other for other in offsets if all(_fits(each, protein, other) for each in distinct)]
    nearest = sorted(fitting, key=lambda other: abs(other - offset))[:_MOST_OFFSETS]
    hint = f"; with offset={' or '.join(map(str, nearest))} every row would fit" if nearest else ""
    return UserError(
        f"{name_of([one]).removesuffix(NO_RESIDUE)} does not fit the wild type, which has {there}{hint}",
        source=source,
        record=f"line {line}",
        remedy="Give the wild type of the scan, and as offset the number of its first residue",
    )


def _compared(sequence: str, protein: str, offset: int, source: str, line: int) -> str:
    """The name of a mutated sequence; one of another length has nothing to compare place by place."""
    letters = sequence.strip().upper().removesuffix("*")
    if len(letters) != len(protein):
        return "NA"
    places = [i for i, (old, new) in enumerate(zip(protein, letters, strict=True)) if old != new]
    if len(places) > _LEAST_ALIKE * len(protein):
        raise UserError(
            f"{_SEQUENCES} has {len(protein) - len(places)} of {len(protein)} residues of the wild type",
            source=source,
            record=f"line {line}",
            remedy="Give the wild type of the scan",
        )
    return name_of([Mutation(protein[i], i + offset, letters[i]) for i in places])
