"""Mutational scans out of CSV and TSV files: ProteinGym's and those with a column of `H24C`; several by `:`.

Each mutation is checked against the wild type, with the number that its first residue has in the file.
"""

import csv
import re
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from Bio.Data.IUPACData import protein_letters_3to1

from lifecode.data.formats.opening import opened
from lifecode.errors import UserError
from lifecode.names import display_name

_COLUMNS = ("mutant", "mutation", "mutations", "variant", "hgvs_pro")
_ONE = re.compile(r"([A-Z*])(\d{1,6})([A-Z*=])")
_OTHER = re.compile(r"([A-Z*])(\d{1,6})(?:_[A-Z*]\d{1,6})?[A-Z*]?(?:DEL|INS|DUP|FS|EXT|\?)[A-Z0-9*?]*")
"""A deletion, insertion, frameshift or extension, or an effect that is not known."""
_NUMBERED = re.compile(r"[A-Z][a-z]{2}(?=\d)")
_NAMED = re.compile(r"([A-Z][a-z]{2})(\d{1,6})([A-Z][a-z]{2}|=)")
"""As HGVS writes it, such as `p.His24Cys`."""
_LETTER_OF = {**protein_letters_3to1, "Ter": "*"}
_BETWEEN = re.compile(r"[:,;/+ ]+")
_WILD_TYPE = ("wt", "wildtype", "wild-type", "_wt", "_sy", "=", "p.=", "p.(=)")
NO_RESIDUE = "-"


class Substitution(NamedTuple):
    """A residue that becomes another; `place` is 0-based in the wild type.

    `new` is `NO_RESIDUE` where the file names a deletion, an insertion or a frameshift there.
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
    """The mutants of a CSV or TSV file, each residue checked against the wild type.

    Args:
        path: of the file; its first line names a column `mutant`.
        protein: wild type, one letter a residue.
        offset: number that its first residue has in the file.

    Raises:
        UserError: the file cannot be read, or a mutation does not fit the wild type; the row is named.
    """
    file = Path(path).expanduser()
    if not file.is_file():
        raise UserError("no such file", source=path, remedy="Give a CSV or TSV file of mutants")
    with opened(file) as handle:
        text = handle.read().decode("utf-8", errors="replace").lstrip("\ufeff")
    head = text.partition("\n")[0]
    reader = csv.reader(text.splitlines(), delimiter="\t" if head.count("\t") > head.count(",") else ",")
    header = [name.strip().lower() for name in next(reader, [])]
    column = next((header.index(name) for name in _COLUMNS if name in header), None)
    if column is None:
        raise UserError(
            f"no column of it is called {', '.join(_COLUMNS[:-1])} or {_COLUMNS[-1]}",
            source=path,
            remedy="Name the column of mutations, such as H24C or A24C:D30E, mutant",
        )
    rows = []
    for row in filter(None, reader):
        if len(row) <= column:
            raise UserError(
                f"the row has {len(row)} columns, and the mutant stands in number {column + 1}",
                source=path,
                record=f"line {reader.line_num}",
                remedy="Check that the file is complete",
            )
        rows.append((row[column], reader.line_num))
    return scan_of([name for name, _ in rows], protein, offset, str(path), [line for _, line in rows])


def scan_of(
    names: Sequence[str], protein: str, offset: int = 1, source: str = "the list", lines: Sequence[int] = ()
) -> Scan:
    """The same of mutants in memory, as of a column of a frame; rows are counted from 1."""
    names = list(map(str, names))
    numbers = list(lines) or list(range(1, len(names) + 1))
    scan = Scan(source, names, [], numbers)
    for name, line in zip(names, numbers, strict=True):
        words = [] if name.strip().lower() in _WILD_TYPE else _BETWEEN.split(_plain(name))
        scan.mutants.append(tuple(_substitution(word, protein, offset, source, line) for word in words))
    if not names:
        raise UserError("has no mutant", source=source, remedy="Check that the file is complete")
    return scan


def _plain(name: str) -> str:
    """Without `p.` and brackets, residues by one letter."""

    def by_letter(found: re.Match[str]) -> str:
        old = _LETTER_OF.get(found[1], found[1])
        return f"{old}{found[2]}{old if found[3] == '=' else _LETTER_OF.get(found[3], found[3])}"

    bare = _NAMED.sub(by_letter, name.strip().removeprefix("p.").strip("[]()"))
    return _NUMBERED.sub(lambda found: _LETTER_OF.get(found[0], found[0]), bare)


def _substitution(word: str, protein: str, offset: int, source: str, line: int) -> Substitution:
    letters = word.removeprefix("p.").upper()
    found = _ONE.fullmatch(letters) or _OTHER.fullmatch(letters)
    if found is None:
        raise UserError(
            f"{display_name(word, 40)!r} is no substitution",
            source=source,
            record=f"line {line}",
            remedy="Write the old residue, its number and the new one, as in H24C; several by :",
        )
    old, number = found[1], int(found[2])
    new = NO_RESIDUE if found.re is _OTHER else old if found[3] == "=" else found[3]
    place = number - offset
    at = protein[place] if 0 <= place < len(protein) else None
    if at == old:
        return Substitution(place, old, new)
    there = f"{at}{number}" if at else f"nothing at {number} ({len(protein)} residues from {offset} on)"
    near = _shifts(protein, place, old)
    hint = f"; offset={offset - near[0]} would fit this row" if near else ""
    raise UserError(
        f"{word} does not fit the wild type, which has {there}{hint}",
        source=source,
        record=f"line {line}",
        remedy="Give the wild type of the scan, and as offset the number of its first residue",
    )


def _shifts(protein: str, place: int, old: str) -> list[int]:
    """By how much `place` is off, for the nearest residues that would fit; nearest first."""
    fitting = [i - place for i, residue in enumerate(protein) if residue == old]
    return sorted(fitting, key=abs)[:1]
