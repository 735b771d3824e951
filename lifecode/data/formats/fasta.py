"""FASTA records, and the contigs that nucleotide FASTA makes: genomes, transcripts, coding sequences.

Headers are read for what NCBI writes in square brackets (`[protein_id=NP_414542.1] [gene=thrL]`), and for the
open ends that Prodigal (`partial=10`) and TransDecoder (`type:5prime_partial`) write; other words of a header
are kept but mean nothing here. One record is held at a time.
"""

import re
from collections.abc import Iterator
from typing import BinaryIO, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from lifecode.alphabet import encode_nucleotides
from lifecode.data.formats.flat_records import split_before
from lifecode.data.formats.insdc.features import organelle_of_definition
from lifecode.data.formats.malformed import Settle
from lifecode.data.formats.organelles import organelle_named
from lifecode.data.records import CodingSequence, Contig, Exon
from lifecode.errors import UserError

_WHITE_SPACE = b" \t\r\n\v\f"
_OPEN_END = re.compile(r"\bpartial=(?:10|01|11)\b|\btype:(?:5prime_partial|3prime_partial|internal)\b")
_OPEN_LOCATION = re.compile(r"[<>]")
_PSEUDOGENE = re.compile(r"\b(?:gene|transcript)_biotype:\w*pseudogene\b")
_ENSEMBL_PLACE = re.compile(r"\b[a-z_]+:[^\s:]+:([^\s:]+):\d+:\d+:-?1\b")
_BRACKET = re.compile(r"\[(\w+)=")


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
        handle: uncompressed bytes of the file, from a header on.
        source: name of the file, for messages.
        settle: takes the fault of a record without a name or without letters.
    """
    for number, record in enumerate(split_before(handle, b">"), start=1):
        header, _, sequence = record.partition(b"\n")
        words = header[1:].decode("utf-8", errors="replace").split(maxsplit=1)
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
            organelle=_organelle(record.description, chromosome, molecule),
            chromosome=chromosome,
        )


def _organelle(description: str, chromosome: str | None, molecule: str) -> str | None:
    """The organelle that a header names: as the chromosome, in brackets, or in the title of a genome."""
    if chromosome:
        return organelle_named(chromosome)
    told = dict(_bracketed(description))
    named = (organelle_named(told.get(key, "")) for key in ("organelle", "location"))
    return next(filter(None, named), None) or (
        organelle_of_definition(description) if molecule == "dna" else None
    )


def _coding_sequence(record: NucleotideRecord, genetic_code: int) -> CodingSequence:
    """The whole record as one CDS, with what NCBI says of it in the header."""
    told = dict(_bracketed(record.description))
    exception = told.get("transl_except")
    return CodingSequence(
        id=told.get("protein_id") or record.name,
        gene=told.get("gene"),
        exons=(Exon(0, len(record.nucleotides), 1),),
        genetic_code=genetic_code,
        pseudo=told.get("pseudo") == "true"
        or "pseudogene" in told
        or bool(_PSEUDOGENE.search(record.description)),
        partial="partial" in told
        or bool(_OPEN_LOCATION.search(told.get("location", "")))
        or bool(_OPEN_END.search(record.description)),
        transl_except=(exception,) if exception else (),
        protein_source="translated",
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
