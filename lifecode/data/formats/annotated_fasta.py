"""A FASTA file and the annotation of its records, brought together record by record.

The annotation is read once and indexed (`AnnotationIndex`), then the FASTA file is streamed: its order
counts, and one record with its own annotation is in memory at a time.
"""

from collections.abc import Callable, Iterator
from typing import BinaryIO

from lifecode.data.formats.annotation_index import AnnotationIndex
from lifecode.data.formats.fasta import NucleotideRecord, nucleotide_records
from lifecode.data.formats.malformed import Settle
from lifecode.errors import UserError


def annotated_records(
    sequences: BinaryIO,
    source: str,
    index: AnnotationIndex,
    key_of: Callable[[NucleotideRecord], str],
    has_cds: Callable[[list[bytes]], bool],
    annotation: str,
    settle: Settle,
) -> Iterator[tuple[NucleotideRecord, list[bytes]]]:
    """Yield every FASTA record with its lines of annotation.

    Args:
        sequences: uncompressed bytes of the FASTA file.
        source: its name, for messages.
        index: the lines of the annotation file.
        key_of: under which key the index has the lines of a record.
        has_cds: whether lines annotate a CDS, so that it is a fault if their sequence is missing.
        annotation: name of the annotation file, for messages.
        settle: takes the fault of a record, and CDS whose sequence is missing.

    Raises:
        UserError: not one record of the FASTA file is annotated, so the two do not belong together.
    """
    for record in nucleotide_records(sequences, source, settle):
        yield record, index.take(key_of(record))
    missing = [key for key, lines in index.left() if has_cds(lines)]
    if missing and not index.num_taken:
        raise UserError(
            f"no sequence of {source} is annotated here; this file names {missing[0]}",
            source=annotation,
            remedy="Give the sequence file that this annotation was made for, with the same names",
        )
    for key in missing:
        settle(
            UserError(
                f"its CDS have no sequence: {source} has no such record",
                source=annotation,
                record=key,
                remedy="Give a sequence file with all records of the annotation",
            )
        )
