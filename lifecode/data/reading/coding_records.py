"""Coding sequences out of a file of a user: those that it annotates, or else its records as they are."""

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from lifecode.alphabet import codon_ids
from lifecode.data.cds.coding_sequence import ExactPair, verify_all
from lifecode.data.reading.named_sequences import require_no_protein
from lifecode.data.reading.read import read_records
from lifecode.genetic_code import genetic_code


class CodingRecord(NamedTuple):
    """A coding sequence.

    Attributes:
        names: by which it may be meant: that of a record, or the id and the gene of an annotated CDS.
        nucleotides: ids (length,), 5' to 3'.
    """

    names: tuple[str, ...]
    nucleotides: NDArray[np.uint8]


def coding_records(path: str | Path) -> list[CodingRecord]:
    """The coding sequences of a FASTA, GenBank, EMBL or GFF3 file, of either strand, exons joined.

    A record with annotated CDS gives those that translate exactly to their proteins, any other itself.

    Raises:
        UserError: the file cannot be read, or holds proteins.
    """
    found = []
    for contig in read_records(path):
        require_no_protein(contig)
        if not contig.coding_sequences:
            found.append(CodingRecord((contig.name,), contig.nucleotides))
        for verdict in verify_all(contig):
            if isinstance(verdict, ExactPair):
                cds = verdict.coding_sequence
                names = tuple(name for name in (cds.id, cds.gene, cds.gene_id) if name)
                found.append(CodingRecord(names, verdict.nucleotides))
    return found


def those_that_spell(records: Sequence[CodingRecord], protein: str, code: int) -> list[CodingRecord]:
    """The records that translate to a protein, with a stop at the end or without; of equal ones the first."""
    table, wanted = genetic_code(code), protein.removesuffix("*")
    found: dict[bytes, CodingRecord] = {}
    for record in records:
        if len(record.nucleotides) // 3 - len(wanted) in (0, 1) and not len(record.nucleotides) % 3:
            codons = codon_ids(record.nucleotides)
            spelled = (table.translate(codons, complete_cds=whole) for whole in (True, False))
            if wanted in (letters.removesuffix("*") for letters in spelled):
                found.setdefault(record.nucleotides.tobytes(), record)
    return list(found.values())
