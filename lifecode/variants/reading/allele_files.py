"""Alleles out of VCF, BCF, TSV, CSV and Parquet files: one for each ALT, with the line that it came from.

Sorted or not, with or without an index and contig lines. What only an output in VCF needs, the lines
themselves, is kept on request.
"""

import gzip
import io
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from lifecode.data.formats.opening import opened
from lifecode.errors import UserError
from lifecode.tasks.examples.table import read_table
from lifecode.variants.reading.allele_tables import alleles_of_columns, alleles_of_table
from lifecode.variants.reading.extents import info_fields
from lifecode.variants.reading.found_alleles import AlleleFile, add_record, require_any

_BCF_MAGIC = b"BCF"
_VCF_COLUMNS = b"#CHROM\tPOS\tID\tREF\tALT"
_FIRST_BYTES = 1 << 16


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
        return alleles_of_table(_text_lines(handle, path), str(path))


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
        add_record(found, columns[0], columns[1], columns[2], columns[3], columns[4], number, info)
        if keep_records:
            found.records[number] = line
    return require_any(found)
