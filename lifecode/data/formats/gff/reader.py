"""Genomes (FASTA) with their CDS from a GFF3, GTF or GFF2 file, or from one that holds the sequences too.

The files annotate no protein, so `verify` takes every intact open reading frame. Read are the CDS and
stop_codon lines and those of the genes, transcripts and sequences above them; exons and introns are not.
What is held is told by `AnnotationIndex` (of the file) and `annotated_records` (of a contig).
"""

import re
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from typing import BinaryIO, NamedTuple
from urllib.parse import unquote

from lifecode.data.formats.annotation.annotated_fasta import annotated_records
from lifecode.data.formats.annotation.index import AnnotationIndex
from lifecode.data.formats.annotation.lines import AnnotationLines, SequenceSections
from lifecode.data.formats.fasta import NucleotideRecord, told_by_header
from lifecode.data.formats.gff.dialect import Evidence
from lifecode.data.formats.gff.genes import GeneReader
from lifecode.data.formats.gff.lines import NUM_COLUMNS, Feature, Role, feature, role_of, sequence_name, shown
from lifecode.data.formats.gff.splitting import table_of
from lifecode.data.formats.malformed import Settle
from lifecode.data.formats.organelles import organelle_named
from lifecode.data.records import Contig
from lifecode.errors import UserError

_MOST_KINDS = 1000
_HEADERS = (b"#", b"track ", b"track\t", b"browser ")
_CIRCULAR_HEADER = re.compile(
    r"(?:topology|circular)(?:[=:] ?(?:circular|true|y(?:es)?)|=1)\b", re.IGNORECASE
)
_MODEL = re.compile(rb"# *Model Data:.*?\btransl_table=(\d{1,2})\b")
"""What Prodigal writes before the genes of each sequence."""
_FIRST_LINE = b"##gff-version"
_EXONERATE = b"exonerate"
_QUERY = re.compile(rb"\bsequence (\S+)")
_CODING = frozenset({Role.CDS, Role.EXON_MODEL})


class _Landmark(NamedTuple):
    """What the lines of a sequence itself say of it."""

    circular: bool
    taxon: int | None
    genetic_code: int | None
    organelle: str | None


def read_gff(
    annotation: BinaryIO,
    annotation_source: str,
    sequences: BinaryIO,
    source: str,
    names: Callable[[], Iterable[str]] | None,
    code_of: Callable[[str, str], int],
    settle: Settle,
) -> Iterator[Contig]:
    """Yield the contigs of a FASTA file with the CDS that an annotation file has for them.

    Args:
        annotation: uncompressed bytes of the GFF3, GTF or GFF2 file; the dialect is judged from all of it.
        annotation_source: its name, for messages.
        sequences: uncompressed bytes of the FASTA file, or of the annotation once more if that holds them.
        source: name of the file with the sequences.
        names: gives those of all sequences; None where the annotation holds these.
        code_of: NCBI code of the CDS of a contig, by its names in both files, where the file names none.
        settle: takes the fault of a line or of a record, and a file without CDS.
    """
    with AnnotationIndex() as index:
        lines = AnnotationLines(annotation)
        evidence = _index_lines(lines, annotation_source, index, settle)
        dialect = evidence.dialect()
        models = {source.decode("utf-8", errors="replace") for source in evidence.exon_models}
        if not evidence.num_cds_lines:
            settle(_no_cds(annotation_source, evidence))
        records = annotated_records(
            [sequences] if names else SequenceSections(sequences),
            source,
            lambda: map(unquote, names() if names else lines.names),
            index,
            partial(_key, index),
            _num_cds,
            annotation_source,
            settle,
            joined=names is None,
        )
        for record, found, key in records:
            features = [feature(line) for line in found if evidence.matters(line)]
            landmark = _landmark(features, len(record.nucleotides))
            circular = landmark.circular or bool(_CIRCULAR_HEADER.search(record.description))
            header = told_by_header(record.description)
            given = landmark.genetic_code or evidence.genetic_codes.get(key) or header.genetic_code
            genetic_code = given or code_of(record.name, key)
            reader = GeneReader(
                record.nucleotides, circular, genetic_code, given is not None, evidence.with_phases, models
            )
            contents = reader.read(features)
            _settle_nameless(contents.nameless, found, annotation_source, settle)
            yield Contig(
                name=record.name,
                nucleotides=record.nucleotides,
                source=source,
                circular=circular,
                taxon=landmark.taxon,
                genetic_code=genetic_code,
                organelle=landmark.organelle or header.organelle,
                coding_sequences=contents.coding_sequences,
                dialect=dialect,
                annotated_as=key if key != _name(record) else None,
            )


def _index_lines(lines: AnnotationLines, source: str, index: AnnotationIndex, settle: Settle) -> Evidence:
    """Index the lines that say where CDS are, with their numbers."""
    evidence = Evidence()
    roles: dict[bytes, Role] = {}
    name_of: dict[bytes, str] = {}
    genetic_code: int | None = None
    gene = b""
    for number, line in lines:
        if line.startswith(_HEADERS) or not line.strip():
            if model := _MODEL.match(line):
                genetic_code = int(model[1])
            elif line.startswith(_FIRST_LINE):  # of another file
                genetic_code = None
            continue
        if line.count(b"\t") == NUM_COLUMNS and line.split(b"\t")[-1].startswith(b"#"):
            line = line.rpartition(b"\t")[0]  # a comment, as GTF allows
        columns = line.split(b"\t", 3)
        if line.count(b"\t") != NUM_COLUMNS - 1 or line.endswith((b"\t", b" ")):
            if gene and columns[2:3] == [b"cds"] and _EXONERATE in columns[1]:
                line = b"%b\t%b" % (line.rstrip(b"\t "), gene)
            try:
                sequence_name(line)
            except UserError as fault:
                remedy = "Check that the file is complete, and write tabs between columns"
                settle(UserError(fault.problem, source=source, record=f"line {number}", remedy=remedy))
                continue
        kind = columns[2]
        role = roles.get(kind)
        if role is None:
            role = role_of(kind.decode("utf-8", errors="replace"))
            if len(roles) < _MOST_KINDS:
                roles[kind] = role
        if role is Role.CDS:
            evidence.add_cds_line(line.split(b"\t"))
        elif role is Role.EXON_MODEL:
            evidence.add_exon_model(line.split(b"\t"))
        elif kind == b"gene" and _EXONERATE in columns[1]:
            gene = _gene_of_exonerate(line, number)
        if not evidence.num_cds_lines and len(evidence.kinds) < _MOST_KINDS:
            evidence.kinds[kind.decode("utf-8", errors="replace")] += 1
        if role is not Role.NONE:
            name = name_of.get(columns[0])
            if name is None:
                if len(name_of) >= _MOST_KINDS:
                    name_of.clear()
                name = name_of[columns[0]] = unquote(columns[0].decode("utf-8", errors="replace").strip())
            index.add(name, b"%d\t%b" % (number, line), lines.section)
            if genetic_code is not None:
                evidence.genetic_codes[name] = genetic_code
    evidence.end()
    return evidence


def _gene_of_exonerate(line: bytes, number: int) -> bytes:
    """What its parts, lines without a ninth column that follow a gene, are to be called by."""
    query = _QUERY.search(line)
    return b'transcript_id "%b:%d"' % (query[1] if query else b"gene", number)


def _no_cds(source: str, evidence: Evidence) -> UserError:
    found = evidence.kinds_found()
    return UserError(
        "no line of it is a CDS" + (f" (column 3 has {found})" if found else ": it has no feature at all"),
        source=source,
        remedy="Give CDS lines or the sequences alone; data.reading.on_malformed=skip goes on without genes",
    )


def _landmark(features: list[Feature], num_nucleotides: int) -> _Landmark:
    """What the lines of the sequence itself say of it: those as long as it, or of no gene."""
    above = [one for one in features if one.role is Role.ABOVE and not one.kind.endswith(("gene", "rna"))]
    above = [one for one in above if not one.parents and one.kind not in ("transcript", "operon")]
    told = [one.attributes for one in above]
    whole = [one for one in above if one.start == 0 and one.end >= num_nucleotides]
    circular = any(
        each.get(key, "").strip().lower() in ("true", "1", "yes", "circular", "t")
        for each in told
        for key in ("is_circular", "circular", "topology")
    )
    references = [word for each in told for word in each.get("dbxref", "").split(",")]
    taxa = [word[6:] for word in references if word.startswith("taxon:") and word[6:15].isdecimal()]
    organelles = (organelle_named(each.get("genome") or each.get("organelle", "")) for each in told)
    return _Landmark(
        circular=circular,
        taxon=int(taxa[0][:9]) if taxa else None,
        genetic_code=table_of(whole) or None,
        organelle=next(filter(None, organelles), None),
    )


def _settle_nameless(nameless: list[Feature], lines: list[bytes], source: str, settle: Settle) -> None:
    """The fault of every CDS line that does not say which gene it is of."""
    if not nameless:
        return
    text_of = dict(line.split(b"\t", 1) for line in lines)
    for one in nameless:
        settle(
            UserError(
                "nothing says which CDS the line is a part of: "
                + shown(text_of[b"%d" % one.line], tail=True),
                source=source,
                record=f"line {one.line}",
                remedy="Write a Parent or ID (GFF3) or a transcript_id (GTF) that the lines of a CDS share",
            )
        )


def _name(record: NucleotideRecord) -> str:
    return unquote(record.name)


def _key(index: AnnotationIndex, record: NucleotideRecord) -> str:
    """The name of a record, or its whole header where the annotation names that, as MetaGeneMark does."""
    name = _name(record)
    if name not in index and (header := f"{name} {record.description}") in index:
        return header
    return name


def _num_cds(lines: list[bytes]) -> int:
    return sum(
        role_of(line.split(b"\t", 4)[3].decode("utf-8", errors="replace")) in _CODING for line in lines
    )
