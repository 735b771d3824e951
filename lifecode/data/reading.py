"""Files on disk to contigs: paths, globs and packaged genomes in, records out, one at a time.

The kind of a file is read from its first bytes, never from its name; gzip is seen the same way.
"""

import gzip
import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from glob import glob, has_magic
from io import BufferedReader, RawIOBase
from pathlib import Path
from typing import BinaryIO, TypeAlias, cast

from lifecode.data.fasta import read_fasta
from lifecode.data.genbank import read_genbank
from lifecode.data.records import Contig
from lifecode.errors import UserError

Inputs: TypeAlias = str | Path | Sequence[str | Path]

_PACKAGED = {"ecoli": "ecoli_K12_MG1655.gbff.gz"}
_GZIP_MAGIC = b"\x1f\x8b"
_PEEKED_BYTES = 4096


def packaged_genomes() -> dict[str, Path]:
    """Name and file of each genome that ships with the package; the name works as an input."""
    assets = Path(__file__).resolve().parent.parent / "assets"
    return {name: assets / file for name, file in _PACKAGED.items()}


def read_records(inputs: Inputs, *, genetic_code: int = 1) -> Iterator[Contig]:
    """Yield every contig of the inputs, in order, with its annotated coding sequences.

    Args:
        inputs: a path, a glob, the name of a packaged genome (`ecoli`), or a list of these; GenBank
            flat files and nucleotide FASTA, plain or gzipped.
        genetic_code: NCBI code of CDS that name none.

    Raises:
        UserError: at once where an input matches no file; while reading, at the first file or record that
            cannot be read, naming both.
    """
    return _read_files(resolve_inputs(inputs), genetic_code)


def resolve_inputs(inputs: Inputs) -> list[Path]:
    """The files that the inputs name, each once, in order; the files of a glob are sorted.

    Raises:
        UserError: an input names no file, or a folder.
    """
    entries = [inputs] if isinstance(inputs, str | Path) else list(inputs)
    files = [file for entry in entries for file in _files_of(entry)]
    if not files:
        raise UserError(
            "no input was given", remedy="Name a file, a glob, or a packaged genome such as ecoli"
        )
    return list(dict.fromkeys(files))


def _files_of(entry: str | Path) -> list[Path]:
    """Files of one input: a packaged genome, an existing file, or the matches of a glob."""
    if isinstance(entry, str) and entry in _PACKAGED:
        return [packaged_genomes()[entry]]
    path = Path(entry).expanduser()
    if path.is_dir():
        raise UserError("is a folder", source=entry, remedy=f"Give the files in it, such as {path}/*.gbff.gz")
    if path.exists():
        return [path]
    matches = (
        [Path(match) for match in sorted(glob(str(path), recursive=True))] if has_magic(str(path)) else []
    )
    matches = [match for match in matches if match.is_file()]
    if not matches:
        problem = "no file matches" if has_magic(str(path)) else "no such file"
        packaged = ", ".join(_PACKAGED)
        raise UserError(
            problem, source=entry, remedy=f"Give a path, a glob, or a packaged genome ({packaged})"
        )
    return matches


def _read_files(files: list[Path], genetic_code: int) -> Iterator[Contig]:
    """Contigs of each file; faults of the disk and of gzip become a `UserError` naming the file."""
    for file in files:
        contigs = 0
        with _naming(file), _opened(file) as handle:
            for contig in _read_handle(handle, str(file), genetic_code):
                contigs += 1
                yield contig
        if not contigs:
            raise UserError("the file has no records", source=file, remedy="Check that it is complete")


def _read_handle(handle: BufferedReader, source: str, genetic_code: int) -> Iterator[Contig]:
    """Contigs of an open file, by the reader its first bytes call for."""
    start = handle.peek(_PEEKED_BYTES).lstrip()
    if not start:
        raise UserError("the file is empty", source=source, remedy="Give a GenBank or FASTA file")
    stream = cast(BinaryIO, handle)
    if start.startswith(b"LOCUS"):
        return read_genbank(stream, source, genetic_code=genetic_code)
    if start.startswith(b">"):
        return read_fasta(stream, source, genetic_code=genetic_code)
    raise UserError(
        "neither a GenBank flat file (LOCUS) nor FASTA (>)",
        source=source,
        remedy="Give one of these, plain or gzipped",
    )


@contextmanager
def _opened(file: Path) -> Iterator[BufferedReader]:
    """The uncompressed bytes of a plain or gzipped file."""
    with file.open("rb") as raw:
        if not raw.peek(2).startswith(_GZIP_MAGIC):
            yield raw
            return
        with gzip.GzipFile(fileobj=raw) as unzipped, BufferedReader(cast(RawIOBase, unzipped)) as handle:
            yield cast(BufferedReader, handle)


@contextmanager
def _naming(file: Path) -> Iterator[None]:
    """Turn faults of the disk and of gzip into a `UserError` that names the file."""
    remedy = "Check that the download is complete"
    try:
        yield
    except EOFError as fault:
        raise UserError("the gzip file ends early", source=file, remedy=remedy) from fault
    except (gzip.BadGzipFile, zlib.error) as fault:
        raise UserError(f"the gzip file is damaged ({fault})", source=file, remedy=remedy) from fault
    except OSError as fault:
        raise UserError(f"cannot be read ({fault.strerror or fault})", source=file) from fault
