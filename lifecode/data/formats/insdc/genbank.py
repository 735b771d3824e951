"""GenBank flat files to contigs, through gb-io: ten times Biopython's speed.

The file is cut into records first, so that a damaged one does not take the others with it. A record that
gb-io cannot read goes to Biopython, which is more lenient; the contig's dialect says so.
"""

import re
from collections.abc import Collection, Iterator
from io import BytesIO
from typing import BinaryIO

import gb_io
import numpy as np

from lifecode.alphabet import encode_nucleotides
from lifecode.data.formats.flat_records import split_before
from lifecode.data.formats.insdc.biopython_records import record_by_biopython
from lifecode.data.formats.insdc.features import (
    coding_sequence_of,
    feature_of,
    is_wanted,
    lineage_of,
    organelle_of_definition,
    organelle_of_source,
    taxon_id,
)
from lifecode.data.formats.insdc.genbank_location import read_location
from lifecode.data.formats.insdc.genbank_origin import misnumbered_line
from lifecode.data.formats.insdc.genbank_text import locus_name, read_by_standard
from lifecode.data.formats.insdc.genes import with_flags_of_genes
from lifecode.data.formats.malformed import Settle
from lifecode.data.records import Contig
from lifecode.errors import UserError

_NONE = np.empty(0, np.uint8)
_BLOCK_BYTES = 1 << 17
_FIRST_LINE = b"LOCUS "
_RELEASE_HEADER = b"Genetic Sequence Data Bank"
_MASTER = re.compile(rb"(?m)^(?:WGS|TSA|TLS) {3,}(\S+)\s*$")
_DEEPEST = 500
_NO_NAME = frozenset({".", "unknown", "Unknown", "UNKNOWN"})


def read_genbank(
    handle: BinaryIO, source: str, genetic_code: int, settle: Settle, features: Collection[str] = ()
) -> Iterator[Contig]:
    """Yield the records of a GenBank flat file one at a time.

    Args:
        handle: uncompressed bytes of the file.
        source: name of the file, for messages and for `Contig.source`.
        genetic_code: NCBI code of CDS without a `transl_table` qualifier (INSDC: 1).
        settle: takes the fault of a record that is damaged, ends early or has no sequence.
        features: keys of those that are read beside CDS.
    """
    last = None
    stretches = (text for text in split_before(handle, _FIRST_LINE) if not _is_release_header(text))
    for number, text in enumerate(stretches, start=1):
        text = read_by_standard(text, of_all=bool(features))
        try:
            for contig in _contigs(text, source, number, last, genetic_code, features):
                last = contig.name
                yield contig
        except UserError as fault:
            settle(fault)


def _contigs(
    text: bytes, source: str, number: int, last: str | None, genetic_code: int, features: Collection[str]
) -> Iterator[Contig]:
    """The contig in a stretch of text, by Biopython where gb-io cannot read it."""
    read_some = False
    try:
        for record in _parsed(text, source, number, last):
            yield _contig(record, _name(record, text, number), source, genetic_code, features)
            read_some = True
    except _Unparsed as fault:
        if read_some:  # the fault lies behind a whole record
            raise fault.named from fault
        name = locus_name(text) or f"record_{number}"
        if (master := _MASTER.search(text)) is not None:
            raise UserError(
                "is the master record of a sequencing project and has no sequence",
                source=source,
                record=name,
                remedy=f"Download the records that it names, {master[1].decode(errors='replace')[:60]}",
            ) from fault
        try:
            contig = record_by_biopython(text, "genbank", source, genetic_code, name, features)
        except UserError:
            contig = None
        if contig is None:
            raise fault.named from fault
        yield contig


class _Unparsed(Exception):
    """gb-io cannot read a record; `named` is what the user would be told."""

    def __init__(self, named: UserError) -> None:
        self.named = named


def _is_release_header(text: bytes) -> bool:
    return not text.startswith(_FIRST_LINE) and _RELEASE_HEADER in text


def _parsed(text: bytes, source: str, number: int, last: str | None) -> Iterator[gb_io.Record]:
    """The record in a stretch of text; what the parser cannot read becomes a `UserError` that says where."""
    if _depth_of_parentheses(text) > _DEEPEST:  # the parser's stack would end the process
        raise _damaged("parentheses are nested too deeply", source, number, last)
    if (fault := misnumbered_line(text)) is not None:
        raise _damaged(fault, source, number, last)
    records = gb_io.iter(BytesIO(text))
    while True:
        try:
            record = next(records, None)
        except (KeyboardInterrupt, SystemExit, MemoryError):
            raise
        except BaseException as fault:  # a Rust panic is a BaseException
            raise _Unparsed(_damaged(_reason(fault), source, number, last)) from fault
        if record is None:
            return
        yield record
        number, last = number + 1, _name(record, text, number)


def _depth_of_parentheses(text: bytes) -> int:
    """How many more parentheses open than close, over the worst stretch of the text."""
    until_last = text.rfind(b"(") + 1  # none of them in the sequence, which is half of the text
    letters = np.frombuffer(text, np.uint8, until_last)
    blocks = (letters[start : start + _BLOCK_BYTES] for start in range(0, until_last, _BLOCK_BYTES))
    opening = np.concatenate([_NONE, *(block[block & 0xFE == ord("(")] for block in blocks)]) == ord("(")
    open_now = np.concatenate([[0], np.cumsum(np.where(opening, 1, -1))])
    return int((open_now - np.minimum.accumulate(open_now)).max())


def _damaged(problem: str, source: str, number: int, last: str | None) -> UserError:
    return UserError(
        f"not a readable GenBank record: {problem}",
        source=source,
        record=f"{number} (after {last})" if last else number,
        remedy="Check that the file is complete, or download it again",
    )


def _reason(fault: BaseException) -> str:
    """The parser's complaint in one line: the text it stopped at, where it names one."""
    complaint = str(fault).removeprefix("parser failed: ").removeprefix("Syntax error: ")
    before, _, stopped_at = complaint.partition("[")
    if stopped_at:
        return f"the parser stopped at {stopped_at.splitlines()[0].rstrip(']')[:60]!r}"
    return " ".join(before.split())[:120].rstrip("!")


def _name(record: gb_io.Record, text: bytes, number: int) -> str:
    """Accession with version, else what names the record best; some programs write "." or "<unknown id>"."""
    told = (record.version, record.accession, record.name)
    names = (name.split()[0] for name in told if name and name.strip())
    known = (name for name in names if name not in _NO_NAME and not name.startswith("<"))
    return next(known, None) or locus_name(text) or f"record_{number}"


def _contig(
    record: gb_io.Record, name: str, source: str, genetic_code: int, features: Collection[str]
) -> Contig:
    """One parsed record with its CDS features, and others that are asked for."""
    if not record.sequence:
        raise UserError(
            "the record has no sequence (ORIGIN), so its CDS cannot be read",
            source=source,
            record=name,
            remedy="Download it as 'GenBank (full)', with the sequence",
        )
    organism, taxon, organelle = _origin(record)
    ids: dict[str, int] = {}
    length, circular = len(record.sequence), bool(record.circular)
    return Contig(
        name=name,
        nucleotides=encode_nucleotides(record.sequence, source=source, record=name),
        source=source,
        circular=circular,
        organism=organism,
        taxon=taxon,
        genetic_code=genetic_code,
        coding_sequences=with_flags_of_genes(
            (
                coding_sequence_of(
                    feature.qualifiers, read_location(feature, length, circular), genetic_code, ids
                )
                for feature in record.features
                if feature.kind.upper() == "CDS"
            ),
            (
                (feature.qualifiers, read_location(feature, length, circular))
                for feature in record.features
                if feature.kind == "gene"
            ),
        ),
        molecule="rna" if "RNA" in (record.molecule_type or "") else "dna",
        dialect="GenBank",
        organelle=organelle or organelle_of_definition(record.definition or ""),
        lineage=_lineage(record.source.organism or "" if record.source else ""),
        features=tuple(
            feature_of(one.kind, one.qualifiers, read_location(one, length, circular))
            for one in (record.features if features else ())
            if is_wanted(one.kind, features)
        ),
    )


def _lineage(organism: str) -> tuple[str, ...]:
    """The lineage under the name of an organism, which may go on for several lines itself."""
    lines = organism.split("\n")[1:]
    first = next((number for number, line in enumerate(lines) if ";" in line), 0)
    return lineage_of("\n".join(lines[first:]))


def _origin(record: gb_io.Record) -> tuple[str | None, int | None, str | None]:
    """Organism name, NCBI taxonomy id and organelle, from the source feature where there is one."""
    organelle, organism = organelle_of_source(record.source.name.rstrip(".") if record.source else "")
    organism, taxon = organism or None, None
    source_feature = next((feature for feature in record.features if feature.kind == "source"), None)
    for qualifier in source_feature.qualifiers if source_feature else ():
        value = qualifier.value or ""
        if qualifier.key == "organism":
            organism = value
        elif qualifier.key == "organelle":
            organelle = value
        elif qualifier.key == "db_xref" and value.startswith("taxon:"):
            taxon = taxon_id(value[6:])
    return organism, taxon, organelle
