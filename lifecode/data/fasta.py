"""Nucleotide FASTA to contigs without annotation."""

from collections.abc import Iterator
from typing import BinaryIO

from lifecode.alphabet import encode_nucleotides
from lifecode.data.records import Contig
from lifecode.errors import UserError


def read_fasta(handle: BinaryIO, source: str, *, genetic_code: int = 1) -> Iterator[Contig]:
    """Yield the records of a nucleotide FASTA file one at a time, named by the first word of the header.

    Args:
        handle: uncompressed bytes of the file, beginning with a header.
        source: name of the file, for messages and for `Contig.source`.
        genetic_code: NCBI code that the contigs carry.

    Raises:
        UserError: a record without a name or without sequence, or with a letter that is no nucleotide.
    """
    for number, (header, sequence) in enumerate(_headers_and_sequences(handle), start=1):
        words = header.decode("utf-8", errors="replace").split()
        if not words:
            raise UserError(
                "the header names no sequence", source=source, record=number, remedy="Write a name after >"
            )
        name = words[0]
        if not sequence:
            raise UserError("the record has no sequence", source=source, record=name, remedy="Remove it")
        ids = encode_nucleotides(sequence, source=source, record=name)
        yield Contig(name=name, nucleotides=ids, source=source, genetic_code=genetic_code)


def _headers_and_sequences(handle: BinaryIO) -> Iterator[tuple[bytes, bytes]]:
    """Header without `>` and sequence without white space of each record."""
    header: bytes | None = None
    lines: list[bytes] = []
    for line in handle:
        if line.startswith(b">"):
            if header is not None:
                yield header, b"".join(lines)
            header, lines = line[1:], []
        else:
            lines.append(b"".join(line.split()))
    if header is not None:
        yield header, b"".join(lines)
