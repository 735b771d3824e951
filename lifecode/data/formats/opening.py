"""Sequence and annotation files opened as bytes, and their format read from the first of these.

Compression is seen by the content too: gzip, bzip2, xz, Zstandard. Bgzip, which is gzip in many members,
reads the same way, and ISA-L unzips two to three times as fast as zlib. Names of files say nothing here.
64 KiB are enough to tell formats that begin with comments, and protein from nucleotides; of longer comments
more is read.
"""

import gzip
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from enum import StrEnum
from io import BufferedReader, RawIOBase
from pathlib import Path
from shlex import quote
from typing import BinaryIO, NoReturn, cast

from isal import igzip, isal_zlib

from lifecode.alphabet import NUCLEOTIDE_LETTERS, RESIDUE_LETTERS
from lifecode.data.formats.decompression import LONGEST_MAGIC, decompressed
from lifecode.data.formats.foreign_formats import foreign_format
from lifecode.data.formats.plain_text import PlainText
from lifecode.errors import UserError

_GZIP_MAGIC = b"\x1f\x8b"
_BGZIP_START = re.compile(rb"\x1f\x8b\x08\x04.{8}BC", re.DOTALL)
_BGZIP_END = bytes.fromhex("1f8b08040000000000ff0600424302001b0003000000000000000000")
_BOMB_BYTES, _BOMB_RATIO = 1 << 28, 200
"""Content of a gzip file that is longer, and so many times as long as the file, is refused; genomes: 30."""
_FIRST_BYTES = 1 << 16
_BUFFER_BYTES = 1 << 16
_WHITE_SPACE = b" \t\r\n\v\f"
_PROTEIN_SHARE = 0.1
_MOST_COMMENT_BYTES = 1 << 26
_GFF_COLUMNS = 9


class Format(StrEnum):
    """A file format that can be read."""

    GENBANK = "GenBank"
    EMBL = "EMBL"
    SWISS_PROT = "Swiss-Prot"
    FASTA = "nucleotide FASTA"
    PROTEIN_FASTA = "protein FASTA"
    GFF3 = "GFF3"
    GTF = "GTF"
    BED12 = "BED12"


ANNOTATION = frozenset({Format.GFF3, Format.GTF, Format.BED12})
"""Formats whose sequence stands in a file of its own, or in GFF3's FASTA section."""


@contextmanager
def opened(file: Path) -> Iterator[BinaryIO]:
    """The uncompressed bytes of a file as `PlainText`.

    Raises:
        UserError: while reading, where the compressed file is damaged or ends early.
    """
    with cast(BufferedReader, file.open("rb", buffering=_BUFFER_BYTES)) as raw:
        start = raw.peek(LONGEST_MAGIC)
        unzipped = _Unzipped(raw, file) if start.startswith(_GZIP_MAGIC) else decompressed(raw, start, file)
        content = raw if unzipped is None else BufferedReader(unzipped, _BUFFER_BYTES)
        with BufferedReader(PlainText(content, file), _BUFFER_BYTES) as handle:
            yield handle


def file_format(file: Path) -> Format:
    """The format of a file, by its first 64 KiB, or by as much as it takes to get behind its comments.

    Raises:
        UserError: the file is empty or in a format that is not read.
    """
    with opened(file) as handle:
        start = handle.read(_FIRST_BYTES)
        found = _format_of(start)
        while found is None and _all_comments(start) and len(start) < _MOST_COMMENT_BYTES:
            if not (more := handle.read(len(start))):
                break
            start += more
            found = _format_of(start)
    if not start.strip():
        raise UserError("the file is empty", source=file, remedy="Check that the download is complete")
    if (foreign := foreign_format(start)) is not None:
        raise UserError(f"is {foreign.name}", source=file, remedy=foreign.remedy)
    if found is None:
        raise UserError(
            "neither a GenBank flat file (LOCUS) nor EMBL (ID), FASTA (>), Swiss-Prot, GFF3, GTF or BED12",
            source=file,
            remedy="Give one of these, plain or compressed by gzip, bzip2, xz or zst",
        )
    return found


def _format_of(start: bytes) -> Format | None:
    """The format that a file begins in, or None."""
    start = start.lstrip()
    if start.startswith(b"LOCUS") or re.match(rb"\S+ +Genetic Sequence Data Bank", start):
        return Format.GENBANK
    if re.match(rb"ID   [^\n]* AA\.", start):
        return Format.SWISS_PROT
    if start.startswith(b"ID   "):
        return Format.EMBL
    if start.startswith(b">") and start.partition(b"\n")[0].count(b"\t") < _GFF_COLUMNS - 1:
        return Format.PROTEIN_FASTA if _holds_protein(start) else Format.FASTA
    if re.match(rb"##gff-version\s+3", start):
        return Format.GFF3
    lines = [line for line in start.splitlines() if line.strip() and not _is_comment(line)]
    found = (_table_format(line.split(b"\t")) for line in lines)
    first_columns = len(lines[0].split(b"\t")) if lines else 0
    by_blanks = filter(None, (_table_format(line.split(None, n)) for line in lines[:1] for n in (8, 11)))
    if (clear := next((each for each in found if each), None)) or first_columns != _GFF_COLUMNS:
        return clear or next(by_blanks, None)
    return Format.GFF3


def _all_comments(start: bytes) -> bool:
    return all(not line.strip() or _is_comment(line) for line in start.splitlines()[:-1])


def _is_comment(line: bytes) -> bool:
    return line.startswith((b"#", b"track", b"browser"))


def _table_format(columns: list[bytes]) -> Format | None:
    """The format of a line in columns, by those that hold positions; or None."""
    if len(columns) >= _GFF_COLUMNS - 1 and all(one.strip(b"<>").isdigit() for one in columns[3:5]):
        column = columns[_GFF_COLUMNS - 1] if len(columns) >= _GFF_COLUMNS else b""
        before, equals, _ = column.partition(b"=")
        is_gff3 = equals and not (b'"' in before or b" " in before.strip())
        return Format.GFF3 if is_gff3 else Format.GTF
    return Format.BED12 if len(columns) >= 12 and all(one.isdigit() for one in columns[1:3]) else None


def _holds_protein(start: bytes) -> bool:
    """Whether a tenth of the letters are residues but no IUPAC nucleotides, and the others residues too."""
    sequence = b"".join(line for line in start.splitlines() if not line.startswith(b">"))
    letters = sequence.upper().translate(None, _WHITE_SPACE)
    others = letters.translate(None, NUCLEOTIDE_LETTERS.encode())
    is_much = len(others) > _PROTEIN_SHARE * len(letters)
    return is_much and not others.translate(None, RESIDUE_LETTERS.encode())


class _Unzipped(RawIOBase):
    """The content of a gzip file; its faults are named."""

    def __init__(self, compressed: BufferedReader, file: Path) -> None:
        self._content = igzip.IGzipFile(fileobj=compressed)
        self._compressed, self._file, self._bytes = compressed, file, 0
        self._is_bgzip = _BGZIP_START.match(compressed.peek(18)) is not None

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview) -> int:  # pyright: ignore[reportIncompatibleMethodOverride]
        """Fill the buffer; 0 at the end."""
        try:
            count = self._content.readinto(buffer)
        except EOFError as fault:
            problem, cause = "the gzip file ends early", fault
        except (gzip.BadGzipFile, isal_zlib.error) as fault:  # pyright: ignore[reportGeneralTypeIssues]
            problem, cause = f"the gzip file is damaged ({fault})", fault
        else:
            self._bytes += count
            if self._bytes > _BOMB_BYTES and self._bytes > _BOMB_RATIO * self._compressed.tell():
                self._refuse(f"unpacks to more than {_BOMB_RATIO} times its size")
            if not count and self._is_bgzip and not self._has_end_of_bgzip():
                self._refuse("the bgzip file ends early: its last block is missing")
            return count
        raise UserError(problem, source=self._file, remedy="Check that the download is complete") from cause

    def _has_end_of_bgzip(self) -> bool:
        descriptor = self._compressed.fileno()
        size = os.fstat(descriptor).st_size
        return not size or os.pread(descriptor, len(_BGZIP_END), max(0, size - len(_BGZIP_END))) == _BGZIP_END

    def _refuse(self, problem: str) -> NoReturn:
        remedy = (
            f"Check the download; if it is as it has to be, unpack it: gunzip -k {quote(str(self._file))}"
        )
        raise UserError(problem, source=self._file, remedy=remedy)
