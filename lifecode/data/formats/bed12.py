"""Spliced mRNAs (FASTA) with their CDS from a BED12 file of the genome.

The blocks of a BED line are the exons; laid end to end they are the mRNA, so thickStart and thickEnd move
from the genome to the transcript, from its other end where the gene is on the minus strand. The mRNA has the
name of the line (column 4), alone or behind the prefix that the UCSC Table Browser writes
(`hg19_ct_UserTrack_3545_NM_173083`) or before the place and strand that
`bedtools getfasta` does. The genome itself is not needed.
"""

import re
from collections.abc import Callable, Iterable, Iterator
from itertools import pairwise
from typing import BinaryIO, NamedTuple

from lifecode.data.formats.annotation.annotated_fasta import annotated_records
from lifecode.data.formats.annotation.index import AnnotationIndex
from lifecode.data.formats.fasta import NucleotideRecord
from lifecode.data.formats.malformed import Settle
from lifecode.data.formats.organelles import organelle_named
from lifecode.data.records import CodingSequence, Contig, Exon
from lifecode.errors import UserError

_HEADERS = (b"#", b"track", b"browser")
_NUM_COLUMNS = 12
_GETFASTA = re.compile(r"(.+?)(?:::([^:]+):(\d+)-(\d+))?(?:\([-+]\))?")
"""The names that `bedtools getfasta -split -name` writes: `tx1::chr1:1000-1350(+)`, `tx1(+)`."""
_MOST_PREFIXES = 32
"""Words, joined by `_`, that UCSC may have put before a name: each costs a look at all that follows."""


class Transcript(NamedTuple):
    """A BED12 line: 0-based half-open positions on the genome."""

    name: str
    place: str
    minus: bool
    thick_start: int
    thick_end: int
    blocks: tuple[tuple[int, int], ...]
    chromosome: str = ""
    partial: bool = False


def read_mrna_with_bed12(
    sequences: BinaryIO,
    source: str,
    names: Callable[[], Iterable[str]],
    bed: BinaryIO,
    bed_source: str,
    genetic_code: int,
    settle: Settle,
) -> Iterator[Contig]:
    """Yield the mRNAs of a FASTA file as RNA contigs, each with the CDS of its BED line.

    Args:
        sequences: uncompressed bytes of the FASTA file.
        source: its name.
        names: gives those of its records.
        bed: uncompressed bytes of the BED12 file.
        bed_source: its name.
        genetic_code: NCBI code of the CDS.
        settle: takes the fault of a line or a record.
    """
    with _indexed(bed, bed_source, settle) as index:
        records = annotated_records(
            [sequences],
            source,
            names,
            index,
            lambda record: _bed_name(record, index),
            _num_coding,
            bed_source,
            settle,
        )
        for record, lines, _ in records:
            transcripts = _of_place(record, [parsed(line) for line in lines])
            coding = _coding_sequence(record, transcripts, genetic_code)
            chromosome = transcripts[0].chromosome if transcripts else None
            yield Contig(
                name=record.name,
                nucleotides=record.nucleotides,
                source=source,
                genetic_code=genetic_code,
                coding_sequences=(coding,) if coding else (),
                molecule="rna",
                organelle=organelle_named(chromosome) if chromosome else None,
                chromosome=chromosome,
            )


def parsed(line: bytes) -> Transcript:
    """A BED12 line as a transcript.

    Raises:
        UserError: it has too few columns, or one that is no number, or blocks that do not fit together.
    """
    text = line.decode("utf-8", errors="replace")
    columns = text.split("\t") if "\t" in text else text.split()
    if len(columns) < _NUM_COLUMNS:
        raise UserError(f"the line has {len(columns)} columns instead of {_NUM_COLUMNS}")
    try:
        start, end, thick_start, thick_end, count = (_number(columns[i]) for i in (1, 2, 6, 7, 9))
        sizes, starts = ([_number(n) for n in columns[i].split(",") if n.strip()] for i in (10, 11))
    except ValueError as fault:
        raise UserError(f"{fault} where a number belongs") from fault
    offsets = sorted(zip(starts, sizes, strict=False))
    blocks = tuple((start + offset, start + offset + size) for offset, size in offsets)
    if columns[5] not in ("+", "-"):
        raise UserError(f"the strand is {columns[5][:20]!r}")
    if (
        not len(sizes) == len(starts) == count > 0
        or blocks[-1][1] != end
        or any(a[1] > b[0] for a, b in pairwise(blocks))
    ):
        raise UserError("the blocks do not fit the line")
    return Transcript(
        name=columns[3],
        place=f"{columns[0]}:{start + 1}-{end}",
        minus=columns[5] == "-",
        thick_start=thick_start,
        thick_end=thick_end,
        blocks=blocks,
        chromosome=columns[0],
        partial=any(column.strip() == "incmpl" for column in columns[13:15]),
    )


def cds_on_transcript(transcript: Transcript) -> tuple[int, int] | None:
    """Where the CDS lies on the spliced mRNA, or None where an end of it lies in no exon."""
    before_start = before_end = length = 0
    inside = 0
    for start, end in transcript.blocks:
        before_start += min(max(transcript.thick_start - start, 0), end - start)
        before_end += min(max(transcript.thick_end - start, 0), end - start)
        inside += (start <= transcript.thick_start < end) + (start < transcript.thick_end <= end)
        length += end - start
    if inside != 2:
        return None
    return (length - before_end, length - before_start) if transcript.minus else (before_start, before_end)


def _indexed(bed: BinaryIO, source: str, settle: Settle) -> AnnotationIndex:
    """The lines of the file by name; those that cannot be read are settled."""
    index = AnnotationIndex()
    for number, line in enumerate(bed, start=1):
        if not line.strip() or line.startswith(_HEADERS):
            continue
        try:
            index.add(parsed(line.rstrip()).name, line)
        except UserError as fault:
            remedy = "Give BED12, with thickStart and thickEnd around the CDS"
            settle(UserError(fault.problem, source=source, record=f"line {number}", remedy=remedy))
    return index


def _bed_name(record: NucleotideRecord, index: AnnotationIndex) -> str:
    """The name that the BED file has for an mRNA: its own, or what bedtools and UCSC made longer."""
    name = record.name
    if name not in index and (found := _GETFASTA.fullmatch(name)) and found[1] in index:
        return found[1]
    if "range=" in record.description:
        for _ in range(_MOST_PREFIXES):
            if name in index or "_" not in name:
                break
            name = name.partition("_")[2]
    return name


def _num_coding(lines: list[bytes]) -> int:
    return sum(transcript.thick_start < transcript.thick_end for transcript in map(parsed, lines))


def _of_place(record: NucleotideRecord, transcripts: list[Transcript]) -> list[Transcript]:
    """The transcripts of an mRNA's name: those where its header says it lies, if any does."""
    told = set(record.description.split())
    if (found := _GETFASTA.fullmatch(record.name)) and found[2]:
        told.add(f"range={found[2]}:{int(found[3][:15]) + 1}-{found[4]}")
    return [one for one in transcripts if f"range={one.place}" in told] or transcripts


def _coding_sequence(
    record: NucleotideRecord, transcripts: list[Transcript], genetic_code: int
) -> CodingSequence | None:
    """The CDS of an mRNA, or None for a non-coding one; it has a problem where the two do not fit."""
    if not transcripts or transcripts[0].thick_start >= transcripts[0].thick_end:
        return None
    transcript = transcripts[0]
    length = sum(end - start for start, end in transcript.blocks)
    found = cds_on_transcript(transcript)
    problem = None
    if len(transcripts) > 1:
        problem = f"{len(transcripts)} lines of this name"
    elif length != len(record.nucleotides):
        problem = f"the blocks have {length} nucleotides, the mRNA {len(record.nucleotides)}"
    elif found is None:
        problem = "an end of the CDS lies in no exon"
    return CodingSequence(
        id=transcript.name,
        gene=None,
        exons=(Exon(*found, 1),) if found and problem is None else (),
        genetic_code=genetic_code,
        partial=transcript.partial,
        location_problem=problem,
        protein_source="translated",
    )


def _number(text: str) -> int:
    """A position; the limit keeps sums in 64 bits."""
    text = text.strip()
    if not text.isascii() or not text.isdigit() or len(text) > 15:
        raise ValueError(f"{text[:20]!r} stands")
    return int(text)
