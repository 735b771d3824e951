"""GenBank flat files to contigs, through gb-io: ten times Biopython's speed.

The file is cut into records first, so that a damaged one does not take the others with it.
"""

from collections.abc import Iterator
from functools import lru_cache
from io import BytesIO
from typing import BinaryIO

import gb_io
import numpy as np

from lifecode.alphabet import encode_nucleotides
from lifecode.data.flat_records import split_before
from lifecode.data.genbank_location import read_location
from lifecode.data.genbank_origin import misnumbered_line
from lifecode.data.malformed import Settle
from lifecode.data.records import CodingSequence, Contig, Exon
from lifecode.errors import UserError

_FLAGS = frozenset({"pseudo", "pseudogene", "ribosomal_slippage", "trans_splicing"})
_VALUES = frozenset({"protein_id", "locus_tag", "gene", "codon_start", "transl_table", "translation"})
_WANTED = _FLAGS | _VALUES | {"transl_except"}
_NOT_PARENTHESES = bytes(set(range(256)) - set(b"()"))
_FIRST_LINE = b"LOCUS "
_RELEASE_HEADER = b"Genetic Sequence Data Bank"
_DEEPEST = 500


def read_genbank(handle: BinaryIO, source: str, genetic_code: int, settle: Settle) -> Iterator[Contig]:
    """Yield the records of a GenBank flat file one at a time.

    Args:
        handle: uncompressed bytes of the file.
        source: name of the file, for messages and for `Contig.source`.
        genetic_code: NCBI code of CDS without a `transl_table` qualifier (INSDC: 1).
        settle: takes the fault of a record that is damaged, ends early or has no sequence.
    """
    last = None
    stretches = (text for text in split_before(handle, _FIRST_LINE) if not _is_release_header(text))
    for number, text in enumerate(stretches, start=1):
        try:
            for record in _parsed(text, source, number, last):
                last = _name(record)
                yield _contig(record, last, source, genetic_code)
        except UserError as fault:
            settle(fault)


def _is_release_header(text: bytes) -> bool:
    return _RELEASE_HEADER in text and not text.startswith(_FIRST_LINE)


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
            raise _damaged(_reason(fault), source, number, last) from fault
        if record is None:
            return
        yield record
        number, last = number + 1, _name(record)


def _depth_of_parentheses(text: bytes) -> int:
    """How many more parentheses open than close, over the worst stretch of the text."""
    opening = np.frombuffer(text.translate(None, _NOT_PARENTHESES), np.uint8) == ord("(")
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


def _name(record: gb_io.Record) -> str:
    """Accession with version, else what names the record best."""
    return (record.version or record.accession or record.name or "unnamed").split()[0]


def _contig(record: gb_io.Record, name: str, source: str, genetic_code: int) -> Contig:
    """One parsed record with its CDS features."""
    if not record.sequence:
        raise UserError(
            "the record has no sequence (ORIGIN), so its CDS cannot be read",
            source=source,
            record=name,
            remedy="Download it as 'GenBank (full)', with the sequence",
        )
    organism, taxon = _organism(record)
    ids: dict[str, int] = {}
    return Contig(
        name=name,
        nucleotides=encode_nucleotides(bytes(record.sequence), source=source, record=name),
        source=source,
        circular=record.circular,
        organism=organism,
        taxon=taxon,
        genetic_code=genetic_code,
        coding_sequences=tuple(
            _coding_sequence(feature, genetic_code, ids)
            for feature in record.features
            if feature.kind == "CDS"
        ),
        molecule="rna" if "RNA" in (record.molecule_type or "") else "dna",
    )


def _organism(record: gb_io.Record) -> tuple[str | None, int | None]:
    """Organism name and NCBI taxonomy id, from the source feature where there is one."""
    organism = record.source.name.rstrip(".") if record.source else None
    taxon = None
    source_feature = next((feature for feature in record.features if feature.kind == "source"), None)
    for qualifier in source_feature.qualifiers if source_feature else ():
        value = qualifier.value or ""
        if qualifier.key == "organism":
            organism = value
        elif qualifier.key == "db_xref" and value.startswith("taxon:"):
            taxon = _number(value[6:], 0) or None
    return organism, taxon


def _coding_sequence(feature: gb_io.Feature, genetic_code: int, ids: dict[str, int]) -> CodingSequence:
    """A CDS feature; `ids` counts the names used on this contig, so that a repeated one gets a number."""
    values: dict[str, str] = {}
    flags: set[str] = set()
    transl_except: list[str] = []
    for qualifier in feature.qualifiers:
        key = qualifier.key
        if key not in _WANTED:
            continue
        if key in _FLAGS:
            flags.add(key)
        elif key == "transl_except":
            transl_except.append(qualifier.value or "")
        else:
            values.setdefault(key, qualifier.value or "")
    exons, partial, problem = read_location(feature)
    gene = values.get("gene")
    locus_tag = values.get("locus_tag")
    name = values.get("protein_id") or locus_tag or gene or f"cds:{_place(exons)}"
    ids[name] = ids.get(name, 0) + 1
    protein = values.get("translation")
    return CodingSequence(
        id=name if ids[name] == 1 else f"{name}#{ids[name]}",
        gene=gene,
        exons=exons,
        codon_start=_number(values.get("codon_start"), 1),
        genetic_code=_number(values.get("transl_table"), genetic_code),
        protein="".join(protein.split()).upper() if protein else None,
        pseudo=bool(flags & {"pseudo", "pseudogene"}),
        partial=partial,
        ribosomal_slippage="ribosomal_slippage" in flags,
        trans_splicing="trans_splicing" in flags,
        transl_except=tuple(transl_except),
        location_problem=problem,
        gene_id=locus_tag or gene,
    )


@lru_cache(maxsize=64)
def _number(value: str | None, default: int) -> int:
    """The qualifier as a number; 0, which no rule accepts, where it is none."""
    if value is None:
        return default
    return int(value) if value.isdecimal() and len(value) < 10 else 0


def _place(exons: tuple[Exon, ...]) -> str:
    """1-based first and last nucleotide, to name a CDS that has no name."""
    if not exons:
        return "?"
    return f"{min(exon.start for exon in exons) + 1}..{max(exon.end for exon in exons)}"
