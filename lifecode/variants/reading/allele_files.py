"""Alleles out of VCF, BCF, TSV, CSV and Parquet files: one for each ALT, with the line that it came from.

Sorted or not, with or without an index and contig lines. What only an output in VCF needs, the lines
themselves, is kept on request.
"""

import csv
import gzip
import io
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO

from lifecode.data.formats.opening import opened
from lifecode.errors import UserError
from lifecode.tasks.examples.table import read_table
from lifecode.variants.alleles import Allele
from lifecode.variants.reading.extents import extent_of, info_fields

_BCF_MAGIC = b"BCF"
_COLUMNS = {
    "chrom": ("chrom", "#chrom", "chr", "contig", "chromosome", "seqid"),
    "pos": ("pos", "position"),
    "ref": ("ref", "reference"),
    "alt": ("alt", "alternate"),
    "id": ("id", "name"),
    "end": ("end",),
    "svlen": ("svlen",),
}
_LONGEST_POSITION = 18
"""Digits, as 64 bits have room for."""
_NO_ALT = (".", "")
_NO_ALLELES = ("<*>", "<NON_REF>")
"""What gVCF files write for any allele that was not seen."""
_MISSING = ("NA", "NaN", "nan", "None", "null", "<NA>")
"""What pandas and R write, or a frame holds, where nothing is known; `NA` and `nan` spell nucleotides too."""
_VCF_COLUMNS = b"#CHROM\tPOS\tID\tREF\tALT"
_FIRST_BYTES = 1 << 16


@dataclass(slots=True)
class AlleleFile:
    """What a file of variants holds.

    Attributes:
        source: its name.
        alleles: one an ALT, in order.
        header: lines of a VCF before its records.
        records: lines of a VCF, each an allele's `line`, where they were to be kept.
        without_alt: records that have none, or only what stands for alleles that were not seen.
    """

    source: str
    alleles: list[Allele] = field(default_factory=list)
    header: list[str] = field(default_factory=list)
    records: dict[int, str] = field(default_factory=dict)
    without_alt: int = 0


def read_alleles(path: str | Path, *, keep_records: bool = False) -> AlleleFile:
    """Every ALT of a VCF, BCF, TSV or CSV file, also compressed, or of a Parquet file.

    Args:
        path: of the file; a table has a header with chrom, pos, ref and alt, and maybe id.
        keep_records: keep the lines of a VCF.

    Raises:
        UserError: it cannot be read, or a record of it, whose line is named.
    """
    file = Path(path).expanduser()
    if not file.is_file():
        raise UserError(
            "no such file", source=path, remedy="Give a VCF, BCF, TSV, CSV or Parquet file of variants"
        )
    with file.open("rb") as raw:
        is_parquet = raw.read(4) == b"PAR1"
    if is_parquet:
        columns = read_table(file).columns
        return alleles_of_columns(list(columns), list(columns.values()), str(path))
    if _is_bcf(file):
        return _from_vcf(_bcf_lines(file), str(path), keep_records, numbered_records=True)
    with opened(file) as handle:
        if _is_vcf(handle.peek(_FIRST_BYTES) if isinstance(handle, io.BufferedReader) else b""):
            return _from_vcf(_text_lines(handle, path), str(path), keep_records)
        return _from_table(_text_lines(handle, path), str(path))


def alleles_of_columns(
    names: Sequence[object], columns: Sequence[Sequence[object]], source: str
) -> AlleleFile:
    """The same of the columns of a table in memory, by their names; lines from 1.

    Raises:
        UserError: a column that is needed is missing, or there twice.
    """
    places = columns_of(list(map(str, names)), source)
    nothing = [""] * len(columns[0])
    return alleles_of_rows(
        zip(*(columns[places[name]] if name in places else nothing for name in _COLUMNS), strict=True), source
    )


def alleles_of_rows(rows: Iterable[Sequence[object]], source: str) -> AlleleFile:
    """The same of contig, 1-based position, ref, alt, id and maybe end and svlen in memory; lines from 1."""
    found = AlleleFile(source)
    for number, row in enumerate(rows, start=1):
        chrom, pos, ref, alt, name, *extent = map(str, row)
        told = (_whole(_known(text)) for text in extent)
        info: dict[str, str] = dict(zip(("END", "SVLEN"), told, strict=False))
        _add(found, chrom, _whole(pos), _known(name) or ".", ref, _known(alt), number, info)
    return _require_any(found)


def _is_vcf(start: bytes) -> bool:
    """Whether a text begins as a VCF does, and not as a table, which may have comments too."""
    if start.startswith(b"##fileformat=VCF"):
        return True
    lines = (line for line in start.splitlines() if not line.startswith(b"##"))
    return next(lines, _VCF_COLUMNS).upper().startswith(_VCF_COLUMNS)


def _is_bcf(file: Path) -> bool:
    with file.open("rb") as raw:
        start = raw.read(3)
    if start.startswith(b"\x1f\x8b"):
        try:
            with gzip.open(file) as unzipped:
                start = unzipped.read(3)
        except (OSError, EOFError):
            return False
    return start == _BCF_MAGIC


def _text_lines(handle: BinaryIO, path: str | Path) -> Iterator[str]:
    for number, line in enumerate(handle, start=1):
        try:
            yield line.decode("utf-8").rstrip("\r\n")
        except UnicodeDecodeError as fault:
            raise UserError(
                "is no text",
                source=path,
                record=f"line {number}",
                remedy="Give a VCF, BCF, TSV, CSV or Parquet file",
            ) from fault


def _bcf_lines(file: Path) -> Iterator[str]:
    """A BCF file as the lines of a VCF."""
    import pysam

    pysam.set_verbosity(0)
    try:
        with pysam.VariantFile(str(file)) as records:
            yield from str(records.header).splitlines()
            for record in records:
                yield str(record).rstrip("\n")
    except (ValueError, OSError) as fault:
        raise UserError(
            f"the BCF file cannot be read ({fault})", source=file, remedy="Check the download"
        ) from fault


def _from_vcf(
    lines: Iterator[str], source: str, keep_records: bool, *, numbered_records: bool = False
) -> AlleleFile:
    found = AlleleFile(source)
    number = 0
    for number, line in enumerate(lines, start=1):
        if line.startswith("#"):
            found.header.append(line)
            continue
        if not line:
            continue
        if numbered_records:
            number -= len(found.header)
        columns = line.split("\t", 8)
        if len(columns) < 5:
            raise UserError(
                f"the record has {len(columns)} tab-separated columns, not at least 5",
                source=source,
                record=f"line {number}",
                remedy="Check that the file is complete and has tabs between its columns",
            )
        info = info_fields(columns[7]) if "<" in columns[4] and len(columns) > 7 else {}
        _add(found, columns[0], columns[1], columns[2], columns[3], columns[4], number, info)
        if keep_records:
            found.records[number] = line
    return _require_any(found)


def _from_table(lines: Iterator[str], source: str) -> AlleleFile:
    found = AlleleFile(source)
    places, separator = dict[str, int](), "\t"
    for number, line in enumerate(lines, start=1):
        if not line.strip() or line.startswith("##") or (line.startswith("#") and "\t" not in line):
            continue
        if not places:
            separator = "\t" if "\t" in line else ","
        own = line.split("\t") if separator == "\t" else next(csv.reader([line]))
        cells = [cell.strip().strip('"') for cell in own]
        if not places:
            places = columns_of(cells, source, "is no VCF, and as a table has")
            continue
        cells += [""] * (max(places.values()) + 1 - len(cells))
        name = _known(cells[places["id"]]) if "id" in places else "."
        chrom, pos, ref, alt = (cells[places[key]] for key in ("chrom", "pos", "ref", "alt"))
        info = {key.upper(): _whole(_known(cells[places[key]])) for key in ("end", "svlen") if key in places}
        _add(found, chrom, _whole(pos), name or ".", ref, _known(alt), number, info)
    return _require_any(found)


def _known(text: str) -> str:
    return "" if text in _MISSING else text


def _whole(position: str) -> str:
    """Without the `.0` of a column that became one of floats."""
    return position.removesuffix(".0")


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


def _add(
    found: AlleleFile,
    chrom: str,
    pos: str,
    name: str,
    ref: str,
    alt: str,
    number: int,
    info: Mapping[str, str],
) -> None:
    """Add the ALT alleles of one record; `info` tells of its symbols."""
    if not (pos.isascii() and pos.isdigit() and len(pos) <= _LONGEST_POSITION):
        raise UserError(
            f"the position is {pos[:20]!r}",
            source=found.source,
            record=f"line {number}",
            remedy="Positions are counted from 1",
        )
    alts = [] if alt in _NO_ALT else alt.split(",")
    known = [(place, one) for place, one in enumerate(alts) if one not in _NO_ALLELES]
    if not known:
        found.without_alt += 1
    symbols = sum(one.startswith("<") for _, one in known)
    for place, one in known:
        extent = extent_of(one, int(pos), info, place, alone=symbols == 1) if one.startswith("<") else None
        found.alleles.append(Allele(chrom, int(pos), ref.upper(), one, name, number, extent))


def _require_any(found: AlleleFile) -> AlleleFile:
    if not found.alleles:
        raise UserError("has no variant", source=found.source, remedy="Check that the file is complete")
    return found
