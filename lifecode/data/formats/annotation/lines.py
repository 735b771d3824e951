"""Annotation files that hold sequences too: their lines, and the FASTA sections between or behind these.

The sequences begin at a line with `>`, as the GFF3 standard has it, whether or not the directive `##FASTA`
stands before it: that alone says nothing, since the proteins that MetaGeneMark writes as comments may begin
with FASTA. They end at a comment or a line in columns, as where the outputs of Prokka for several genomes are
one file. A section is the annotation before sequences, with these.
"""

from collections.abc import Iterator
from io import BytesIO
from itertools import chain
from pathlib import Path
from typing import BinaryIO, cast

from lifecode.data.formats.flat_records import names_of_headers
from lifecode.data.formats.opening import opened

_COLUMNS = 9
_FIRST_LINE = b"##gff-version"
_BLOCK_BYTES = 1 << 20


class _Sections:
    """A stream read by lines within annotation, and by blocks within sequences."""

    def __init__(self, handle: BinaryIO) -> None:
        self._handle = handle
        self._held = BytesIO()

    def _lines(self) -> Iterator[bytes]:
        return chain(self._held, self._handle)

    def _blocks(self, begun: bytes) -> Iterator[bytes]:
        """Whole lines of the sequences that begin with a header; what follows them is held."""
        yield begun
        while True:
            block = self._held.read() or self._handle.read(_BLOCK_BYTES)
            if not block:
                return
            block += b"" if block.endswith(b"\n") else self._handle.readline()
            end = _end_of_sequences(block)
            yield block[:end]
            if end < len(block):
                self._held = BytesIO(block[end:])
                return


class AnnotationLines(_Sections):
    """The lines of an annotation file with their 1-based numbers and without line ends.

    Args:
        handle: uncompressed bytes of the file.

    Attributes:
        section: 0-based number of the section that the last line stands in.
        names: of the sequences that were passed.
    """

    def __init__(self, handle: BinaryIO) -> None:
        super().__init__(handle)
        self.section = 0
        self.names: list[str] = []

    def __iter__(self) -> Iterator[tuple[int, bytes]]:
        before = 0
        while True:
            begun, number = b"", before
            for number, raw in enumerate(self._lines(), start=before + 1):
                line = raw.rstrip(b"\n")
                if _begins_sequences(line):
                    begun = raw
                    break
                yield number, line
            if not begun:
                return
            before = number - 1
            for block in self._blocks(begun):
                before += block.count(b"\n")
                self.names += names_of_headers(block)
            self.section += 1


class SequenceSections(_Sections):
    """The FASTA sections of an annotation file as streams, each to be read before the next one."""

    def __iter__(self) -> Iterator[BinaryIO]:
        while begun := next(filter(_begins_sequences, self._lines()), None):
            blocks = self._blocks(begun)
            yield cast(BinaryIO, _Stream(blocks))
            for _ in blocks:
                pass


class _Stream:
    """Blocks of whole lines as a stream."""

    def __init__(self, blocks: Iterator[bytes]) -> None:
        self._blocks = blocks

    def read(self, size: int = -1) -> bytes:
        return next(self._blocks, b"")

    def readline(self) -> bytes:
        return b""


def carries_sequences(annotation: Path) -> bool:
    """Whether an annotation file has a FASTA section; reads all of it.

    Raises:
        UserError: the compressed file is damaged or ends early.
    """
    with opened(annotation) as handle:
        return any(True for _ in SequenceSections(handle))


def _begins_sequences(line: bytes) -> bool:
    return line.startswith(b">") and line.count(b"\t") < _COLUMNS - 1


def _end_of_sequences(block: bytes) -> int:
    """Where the first line begins that is a comment or stands in columns; the length of the block if none."""
    if b"\t" not in block and b"#" not in block:
        return len(block)
    place = 0
    for line in block.splitlines(keepends=True):
        if (glued := line.find(_FIRST_LINE)) > 0:  # the file before it has no line end
            return place + glued
        if line.startswith(b"#") or (line.count(b"\t") >= _COLUMNS - 1 and not line.startswith(b">")):
            return place
        place += len(line)
    return len(block)
