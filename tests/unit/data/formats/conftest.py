"""What a reader makes of an annotation beside its genome."""

import pytest

from lifecode.data import read_records
from lifecode.data.cds.coding_sequence import ExactPair, verify_all
from lifecode.genetic_code import residue_letters
from tests.support.gff_dialects import GENOME


@pytest.fixture
def judged(tmp_path):
    """What every CDS of a text comes to: its protein, or the reason why it is none; and the contig."""

    def of(text, sequence=GENOME, **settings):
        annotation, fasta = tmp_path / "g.gff", tmp_path / "g.fa"
        annotation.write_bytes(text if isinstance(text, bytes) else text.encode())
        fasta.write_text(f">ctg1\n{sequence}\n")
        (contig,) = read_records(f"{annotation}+{fasta}", **settings)
        return [
            residue_letters(verdict.amino_acids) if isinstance(verdict, ExactPair) else verdict.reason.value
            for verdict in verify_all(contig)
        ], contig

    return of
