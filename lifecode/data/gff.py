"""Genomes (FASTA) with their CDS from a GFF3 or GTF file, or from a GFF3 file that holds the sequences too.

The files annotate no protein, so `verify` takes every intact open reading frame. Read are the CDS and
stop_codon lines, and for GFF3 those of the genes and transcripts above them; exons and introns are not.
What is held is told by `AnnotationIndex` (of the file) and `annotated_records` (of a contig).
"""

from collections.abc import Iterator
from typing import BinaryIO, NamedTuple

from lifecode.data.annotated_fasta import annotated_records
from lifecode.data.annotation_index import AnnotationIndex
from lifecode.data.fasta import NucleotideRecord
from lifecode.data.gff_genes import coding_sequences
from lifecode.data.gff_lines import Dialect, feature, sequence_name
from lifecode.data.insdc_features import organelle_of_definition
from lifecode.data.malformed import Settle
from lifecode.data.opening import FASTA_SECTION
from lifecode.data.organelles import organelle_named
from lifecode.data.records import Contig
from lifecode.errors import UserError

_CODING = frozenset({b"CDS", b"stop_codon"})
_NEVER_ABOVE_A_CDS = frozenset(
    {b"exon", b"intron", b"five_prime_UTR", b"three_prime_UTR", b"start_codon", b"match", b"match_part"}
)


class _Landmark(NamedTuple):
    circular: bool
    taxon: int | None
    organelle: str | None


def read_gff(
    annotation: BinaryIO,
    annotation_source: str,
    sequences: BinaryIO | None,
    source: str,
    dialect: Dialect,
    genetic_code: int,
    settle: Settle,
) -> Iterator[Contig]:
    """Yield the contigs of a FASTA file with the CDS that an annotation file has for them.

    Args:
        annotation: uncompressed bytes of the GFF3 or GTF file.
        annotation_source: its name, for messages.
        sequences: uncompressed bytes of the FASTA file; None reads the FASTA section of the annotation.
        source: name of the file with the sequences.
        dialect: `GFF3` or `GTF`.
        genetic_code: NCBI code of CDS without a `transl_table`.
        settle: takes the fault of a line or of a record.
    """
    with AnnotationIndex() as index:
        _index_lines(annotation, annotation_source, dialect, index, settle)
        records = annotated_records(
            sequences or annotation, source, index, _name, _has_cds, annotation_source, settle
        )
        for record, lines in records:
            features = [feature(line, dialect) for line in lines]
            landmark = _landmark([one.attributes for one in features if one.kind in ("region", "chromosome")])
            yield Contig(
                name=record.name,
                nucleotides=record.nucleotides,
                source=source,
                circular=landmark.circular,
                taxon=landmark.taxon,
                genetic_code=genetic_code,
                organelle=landmark.organelle or organelle_of_definition(record.description),
                coding_sequences=coding_sequences(
                    features, dialect, len(record.nucleotides), landmark.circular, genetic_code
                ),
            )


def _index_lines(
    annotation: BinaryIO, source: str, dialect: Dialect, index: AnnotationIndex, settle: Settle
) -> None:
    """Index the lines that say where CDS are, up to the FASTA section."""
    for number, line in enumerate(annotation, start=1):
        if line.startswith(FASTA_SECTION):
            return
        if line.startswith(b"#") or not line.strip():
            continue
        try:
            name = sequence_name(line)
        except UserError as fault:
            remedy = "Check that the file is complete"
            settle(UserError(fault.problem, source=source, record=f"line {number}", remedy=remedy))
            continue
        kind = line.split(b"\t", 3)[2]
        if kind in _CODING or (dialect == "GFF3" and b"ID=" in line and kind not in _NEVER_ABOVE_A_CDS):
            index.add(name, line)


def _landmark(attributes: list[dict[str, str]]) -> _Landmark:
    """What the line of the sequence itself says of it."""
    circular = any(each.get("Is_circular", "").lower() == "true" for each in attributes)
    references = [word for each in attributes for word in each.get("Dbxref", "").split(",")]
    taxa = [word[6:] for word in references if word.startswith("taxon:") and word[6:15].isdecimal()]
    organelles = (organelle_named(each.get("genome", "")) for each in attributes)
    return _Landmark(circular, int(taxa[0][:9]) if taxa else None, next(filter(None, organelles), None))


def _name(record: NucleotideRecord) -> str:
    return record.name


def _has_cds(lines: list[bytes]) -> bool:
    return any(line.split(b"\t", 3)[2] == b"CDS" for line in lines)
