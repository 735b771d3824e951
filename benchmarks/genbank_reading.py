"""GenBank to verified pairs, by this package and by Biopython's SeqIO with the same rules.

Both unzip and parse the file, cut every CDS out of its contig, translate it by its own genetic code and
compare it with the annotated protein. What they count must agree before either is timed. Biopython's side is
written as its tutorial has it, `gzip.open` included, and shares no code with ours.
"""

import gzip
from pathlib import Path
from typing import NamedTuple

from Bio import SeqIO
from Bio.Data.CodonTable import unambiguous_dna_by_id
from Bio.Seq import Seq
from Bio.SeqFeature import AfterPosition, BeforePosition, SeqFeature

from lifecode.data.cds.coding_sequence import ExactPair, verify_all
from lifecode.data.reading.read import read_records

LIFECODE, BIOPYTHON = "lifecode", "biopython"


class Counts(NamedTuple):
    """What a reading of a file finds.

    Attributes:
        contigs: records.
        nucleotides: of all of them.
        cds: CDS features.
        pairs: those whose translation is the annotated protein.
    """

    contigs: int
    nucleotides: int
    cds: int
    pairs: int


class GenBankReading:
    """The workload: one file, read by one of the two.

    Args:
        reader: `lifecode` or `biopython`.
        file: GenBank, plain or compressed.
    """

    def __init__(self, reader: str, file: Path) -> None:
        self.count, self.file = {LIFECODE: count_with_lifecode, BIOPYTHON: count_with_biopython}[reader], file

    def counts(self) -> Counts:
        """What this reader finds."""
        return self.count(self.file)

    def prepare(self, length: int) -> dict[str, float]:
        """Nothing to make; the length is the file's own."""
        return {}

    def run(self, part: str) -> None:
        """Reads the whole file."""
        self.count(self.file)


def count_with_lifecode(file: Path) -> Counts:
    """Reads and verifies as a preparation does."""
    contigs = nucleotides = cds = pairs = 0
    for contig in read_records(file):
        contigs, nucleotides = contigs + 1, nucleotides + len(contig.nucleotides)
        cds += len(contig.coding_sequences)
        pairs += sum(isinstance(verdict, ExactPair) for verdict in verify_all(contig))
    return Counts(contigs, nucleotides, cds, pairs)


def count_with_biopython(file: Path) -> Counts:
    """Reads with `SeqIO.parse`, cuts out with `SeqFeature.extract`, translates with `Seq.translate`."""
    contigs = nucleotides = cds = pairs = 0
    with gzip.open(file, "rt") if _is_gzip(file) else file.open() as text:
        for record in SeqIO.parse(text, "genbank"):
            contigs, nucleotides = contigs + 1, nucleotides + len(record.seq)
            features = [feature for feature in record.features if feature.type == "CDS"]
            cds += len(features)
            pairs += sum(_is_exact(feature, record.seq) for feature in features)
    return Counts(contigs, nucleotides, cds, pairs)


def _is_gzip(file: Path) -> bool:
    with file.open("rb") as handle:
        return handle.read(2) == b"\x1f\x8b"


def _is_exact(feature: SeqFeature, sequence: Seq) -> bool:
    """Whether a CDS translates to its annotated protein, followed by a stop or by nothing."""
    qualifiers = feature.qualifiers
    annotated = qualifiers.get("translation", [""])[0]
    if not annotated or "pseudo" in qualifiers or "pseudogene" in qualifiers or _is_partial(feature):
        return False
    codon_start = int(qualifiers.get("codon_start", ["1"])[0])
    table = int(qualifiers.get("transl_table", ["1"])[0])
    coding = feature.extract(sequence)[codon_start - 1 :]
    if len(coding) % 3:
        return False
    protein = str(coding.translate(table=str(table)))
    starts = str(coding[:3]) in unambiguous_dna_by_id[table].start_codons
    if codon_start == 1 and starts and annotated.startswith("M"):
        protein = "M" + protein[1:]
    return "X" not in protein and protein.removesuffix("*") == annotated


def _is_partial(feature: SeqFeature) -> bool:
    """Whether an end lies beyond what was sequenced, or nothing was read as a location."""
    parts = feature.location.parts if feature.location else []
    ends = [end for part in parts for end in (part.start, part.end)]
    return not ends or any(isinstance(end, BeforePosition | AfterPosition) for end in ends)
