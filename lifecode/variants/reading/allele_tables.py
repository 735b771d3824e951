"""Alleles out of tables: files with tabs, commas or semicolons, and columns in memory, by their names."""

import csv
from collections.abc import Iterable, Iterator, Sequence

from lifecode.errors import UserError
from lifecode.variants.reading.found_alleles import AlleleFile, add_record, require_any

_COLUMNS = {
    "chrom": ("chrom", "#chrom", "chr", "contig", "chromosome", "seqid"),
    "pos": ("pos", "position"),
    "ref": ("ref", "reference"),
    "alt": ("alt", "alternate"),
    "id": ("id", "name"),
    "end": ("end",),
    "svlen": ("svlen",),
}
_MISSING = ("NA", "NaN", "nan", "None", "null", "<NA>")
"""What pandas and R write, or a frame holds, where nothing is known; `NA` and `nan` spell nucleotides too."""


def alleles_of_table(lines: Iterator[str], source: str) -> AlleleFile:
    """Of the lines of a table, whose first one names its columns."""
    found = AlleleFile(source)
    places, separator = dict[str, int](), "\t"
    for number, line in enumerate(lines, start=1):
        if not line.strip() or line.startswith("##") or (line.startswith("#") and "\t" not in line):
            continue
        if not places:
            separator = "\t" if "\t" in line else max(",;", key=line.count)
        own = line.split("\t") if separator == "\t" else next(csv.reader([line], delimiter=separator))
        cells = [cell.strip().strip('"') for cell in own]
        if not places:
            places = columns_of(cells, source, "is no VCF, and as a table has")
            continue
        cells += [""] * (max(places.values()) + 1 - len(cells))
        name = _known(cells[places["id"]]) if "id" in places else "."
        chrom, pos, ref, alt = (cells[places[key]] for key in ("chrom", "pos", "ref", "alt"))
        info = {key.upper(): _whole(_known(cells[places[key]])) for key in ("end", "svlen") if key in places}
        add_record(found, chrom, _whole(pos), name or ".", ref, _known(alt), number, info)
    return require_any(found)


def alleles_of_columns(
    names: Sequence[object], columns: Sequence[Sequence[object]], source: str
) -> AlleleFile:
    """Of the columns of a table in memory, by their names; lines from 1.

    Raises:
        UserError: a column that is needed is missing, or there twice.
    """
    places = columns_of(list(map(str, names)), source)
    nothing = [""] * len(columns[0])
    return alleles_of_rows(
        zip(*(columns[places[name]] if name in places else nothing for name in _COLUMNS), strict=True), source
    )


def alleles_of_rows(rows: Iterable[Sequence[object]], source: str) -> AlleleFile:
    """Of rows of contig, 1-based position, ref, alt, id and maybe end and svlen in memory; lines from 1."""
    found = AlleleFile(source)
    for number, row in enumerate(rows, start=1):
        chrom, pos, ref, alt, name, *extent = map(str, row)
        told = (_whole(_known(text)) for text in extent)
        info: dict[str, str] = dict(zip(("END", "SVLEN"), told, strict=False))
        add_record(found, chrom, _whole(pos), _known(name) or ".", ref, _known(alt), number, info)
    return require_any(found)


def columns_of(header: Sequence[str], source: str, has: str = "has") -> dict[str, int]:
    """Where the columns of a table stand, by the first of their names in `_COLUMNS`, in either case.

    Raises:
        UserError: one is missing, which `has` speaks of, or is there twice.
    """
    names = [str(name).strip().lower() for name in header]
    places = {
        key: next(names.index(word) for word in words if word in names)
        for key, words in _COLUMNS.items()
        if any(word in names for word in words)
    }
    if missing := [key for key in ("chrom", "pos", "ref", "alt") if key not in places]:
        raise UserError(
            f"{has} no column {', '.join(missing)}",
            source=source,
            remedy="Give a VCF, BCF, or a table with columns chrom, pos (from 1), ref and alt",
        )
    for place in places.values():
        if names.count(names[place]) > 1:
            raise UserError(
                f"has {names.count(names[place])} columns {names[place]}",
                source=source,
                remedy="Leave the one that is meant",
            )
    return places


def _known(text: str) -> str:
    return "" if text in _MISSING else text


def _whole(position: str) -> str:
    """Without the `.0` of a column that became one of floats."""
    return position.removesuffix(".0")
