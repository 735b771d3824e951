"""FASTA records, and the contigs that nucleotide FASTA makes: genomes, transcripts, coding sequences.

Headers are read for what NCBI writes in square brackets (`[protein_id=NP_414542.1] [gene=thrL]`), and for the
open ends that Prodigal (`partial=10`), TransDecoder (`type:5prime_partial`) and titles (`partial cds`) tell;
other words of a header are kept but mean nothing here. One record is held at a time.
"""

import re
from collections.abc import Iterator
from typing import BinaryIO, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from lifecode.alphabet import encode_nucleotides
from lifecode.data.cds.recoding import on_record, protein_exception
from lifecode.data.formats.flat_records import split_before
from lifecode.data.formats.insdc.biopython_records import exons_of_location
from lifecode.data.formats.insdc.features import organelle_of_definition
from lifecode.data.formats.malformed import Settle
from lifecode.data.formats.organelles import organelle_named
from lifecode.data.records import CodingSequence, Contig, Exon
from lifecode.errors import UserError
from lifecode.names import display_name

_WHITE_SPACE = b" \t\r\n\v\f"
_OPEN_END = re.compile(
    r"\bpartial=(?:10|01|11)\b|\btype:(?:5prime_partial|3prime_partial|internal)\b|\b[Pp]artial (?:cds|CDS)\b"
)
_CODE = re.compile(r"\b(?:genetic_code|transl_table)=(\d{1,2})\b")
_OPEN_LOCATION = re.compile(r"[<>]")
_PSEUDOGENE = re.compile(r"\b(?:gene|transcript)_biotype:\w*pseudogene\b")
_ENSEMBL_PLACE = re.compile(r"\b[a-z_]+:[^\s:]+:([^\s:]+):\d+:\d+:-?1\b")
_BRACKET = re.compile(r"\[(\w+)=")


class Told(NamedTuple):
    """What a header says of a sequence: its organelle and its NCBI genetic code; None where nothing."""

    organelle: str | None
    genetic_code: int | None


class FastaRecord(NamedTuple):
    """Name (the first word of the header), the words after it, and the letters without white space."""

    name: str
    description: str
    letters: bytes


class NucleotideRecord(NamedTuple):
    """Name, the words after it, and (num_nucleotides,) uint8 ids."""

    name: str
    description: str
    nucleotides: NDArray[np.uint8]


def fasta_records(handle: BinaryIO, source: str, settle: Settle) -> Iterator[FastaRecord]:
    """Yield the records of a FASTA file of any letters.

    Args:
        handle: uncompressed bytes of the file.
        source: name of the file, for messages.
        settle: takes the fault of text before the first header, and of a record without a name or letters.
    """
    for number, record in enumerate(split_before(handle, b">"), start=1):
        if not record.startswith(b">"):
            begins = display_name(record.split(b"\n", 1)[0].decode("utf-8", errors="replace").strip(), 40)
            settle(_fault(f"begins with {begins!r}, not with >", source, number, "Give a FASTA file"))
            continue
        header, _, sequence = record.partition(b"\n")
        words = header[1:].replace(b"\x01", b" ").decode("utf-8", errors="replace").split(maxsplit=1)
        letters = sequence.translate(None, _WHITE_SPACE)
        if not words:
            settle(_fault("the header names no sequence", source, number, "Write a name after >"))
        elif not letters:
            settle(_fault("the record has no sequence", source, words[0], "Remove it"))
        else:
            yield FastaRecord(words[0], words[1] if len(words) > 1 else "", letters)


def nucleotide_records(handle: BinaryIO, source: str, settle: Settle) -> Iterator[NucleotideRecord]:
    """Yield the records of a nucleotide FASTA file; `settle` also takes letters that are no nucleotides."""
    for name, description, letters in fasta_records(handle, source, settle):
        try:
            ids = encode_nucleotides(letters, source=source, record=name)
        except UserError as fault:
            settle(fault)
        else:
            yield NucleotideRecord(name, description, ids)


def read_fasta(
    handle: BinaryIO, source: str, genetic_code: int, molecule: Literal["dna", "rna", "cds"], settle: Settle
) -> Iterator[Contig]:
    """Yield the records of a nucleotide FASTA file as contigs of one molecule.

    A `cds` has one coding sequence, the whole record, whose protein is its translation.

    Args:
        handle: uncompressed bytes of the file, from a header on.
        source: name of the file, for messages and for `Contig.source`.
        genetic_code: NCBI code that the contigs carry.
        molecule: what the records are.
        settle: takes the fault of a record.
    """
    for record in nucleotide_records(handle, source, settle):
        coding = (_coding_sequence(record, genetic_code),) if molecule == "cds" else ()
        place = None if molecule == "dna" else _ENSEMBL_PLACE.search(record.description)
        chromosome = place[1] if place else None
        yield Contig(
            name=record.name,
            nucleotides=record.nucleotides,
            source=source,
            genetic_code=genetic_code,
            coding_sequences=coding,
            molecule=molecule,
            organelle=organelle_named(chromosome)
            if chromosome
            else told_by_header(record.description, molecule == "dna").organelle,
            chromosome=chromosome,
        )


def told_by_header(description: str, title: bool = True) -> Told:
    """What the words behind the name of a sequence say of it in brackets, as NCBI and Bakta write them.

    `[gcode=11]`, on DNA of an organelle `[mgcode=2]` or `[pgcode=11]`, `[location=mitochondrion]`.

    Args:
        description: these words.
        title: they may be the title of a genome that names the organelle.
    """
    told = dict(_bracketed(description))
    named = (organelle_named(told.get(key, "")) for key in ("organelle", "location"))
    organelle = next(filter(None, named), None) or (organelle_of_definition(description) if title else None)
    kind = "gcode" if organelle is None else "mgcode" if organelle.startswith("mit") else "pgcode"
    code = told.get("transl_table") or told.get(kind, "")
    return Told(organelle, int(code) if code.isdecimal() and len(code) < 3 else None)


def _coding_sequence(record: NucleotideRecord, genetic_code: int) -> CodingSequence:
    """The whole record as one CDS, with what NCBI says of it in the header."""
    told = dict(_bracketed(record.description))
    location, exception = told.get("location", ""), told.get("transl_except")
    if exception and location:  # NCBI gives both on the genome
        exons = exons_of_location(location)
        if sum(exon.end - exon.start for exon in exons) == len(record.nucleotides):
            exception = on_record(exception, exons)
    given = told_by_header(record.description, title=False).genetic_code
    if found := _CODE.search(record.description):
        given = int(found[1])
    return CodingSequence(
        id=told.get("protein_id") or record.name,
        gene=told.get("gene"),
        exons=(Exon(0, len(record.nucleotides), 1),),
        codon_start={"2": 2, "3": 3}.get(told.get("frame") or told.get("codon_start", ""), 1),
        genetic_code=genetic_code if given is None else given,
        genetic_code_given=given is not None,
        pseudo=told.get("pseudo") == "true"
        or "pseudogene" in told
        or bool(_PSEUDOGENE.search(record.description)),
        partial="partial" in told
        or bool(_OPEN_LOCATION.search(location))
        or bool(_OPEN_END.search(record.description)),
        transl_except=(exception,) if exception else (),
        protein_source="translated",
        exception=protein_exception(told.get("exception", "")),
        gene_id=told.get("locus_tag"),
    )


def _bracketed(description: str) -> Iterator[tuple[str, str]]:
    """Each `[key=value]`; one look at every letter, however many brackets stay open."""
    place = 0
    while found := _BRACKET.search(description, place):
        end = description.find("]", found.end())
        if end < 0:
            return
        yield found[1], description[found.end() : end]
        place = end + 1


def _fault(problem: str, source: str, record: object, remedy: str) -> UserError:
    return UserError(problem, source=source, record=record, remedy=remedy)
