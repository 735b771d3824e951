"""How much there is to train on: exact from a corpus, an estimate from files that were not prepared yet."""

from typing import NamedTuple

from lifecode.data.batches.mixture import Mixture
from lifecode.data.corpus.corpus import Corpus
from lifecode.data.corpus.shards import CDS, DNA, RNA
from lifecode.data.reading.inputs import Inputs
from lifecode.data.reading.read import ReadingSettings, read_unit, resolve_inputs
from lifecode.data.splits.split import Split

MOST_BYTES_READ = 64 * 2**20
"""Input files larger than this together are not read for an estimate."""


class TrainingSize(NamedTuple):
    """What a corpus holds, or will hold.

    Attributes:
        codons: of the training split, by kind.
        train_residues: of its proteins.
        test_residues: of the proteins of the test split.
        estimated: whether pairs were neither verified nor dropped by the split yet.
    """

    codons: dict[str, float]
    train_residues: float
    test_residues: float
    estimated: bool = False


def size_of_corpus(corpus: Corpus, mixture: Mixture) -> TrainingSize:
    """From the report of a corpus, coding sequences as often as one pass of a mixture reads them."""
    train, test = corpus.report["splits"]["train"], corpus.report["splits"]["test"]
    codons = {
        CDS: float(mixture.codons_of_pass(corpus.segments(CDS, "train"))),
        DNA: train["dna_nucleotides"] / 3,
        RNA: train["rna_nucleotides"] / 3,
    }
    return TrainingSize(codons, *(split["cds_codons"] - split["cds"] for split in (train, test)))


def size_of_inputs(inputs: Inputs, reading: ReadingSettings, split: Split) -> TrainingSize | None:
    """From the files themselves, which are read once; None where they are too large for that.

    The training split is taken as what the fractions for validation and test leave (all of it where these
    are names), and every annotated CDS as an exact pair.

    Raises:
        UserError: an input that is not there or cannot be read.
    """
    units = resolve_inputs(inputs)
    if sum(file.stat().st_size for unit in units for file in unit.files) > MOST_BYTES_READ:
        return None
    nucleotides, of_cds, num_cds = {CDS: 0, DNA: 0, RNA: 0}, 0, 0
    for contig in (contig for unit in units for contig in read_unit(unit, reading)):
        if contig.molecule in (DNA, RNA):
            nucleotides[contig.molecule] += len(contig.nucleotides)
        exons = [exon for cds in contig.coding_sequences for exon in cds.exons]
        of_cds += sum(exon.end - exon.start for exon in exons)
        num_cds += len(contig.coding_sequences)
    nucleotides[CDS] = of_cds
    validation, test = (
        share if isinstance(share, float) else 0.0 for share in (split.validation, split.test)
    )
    train = 1 - validation - test
    residues = of_cds / 3 - num_cds
    codons = {kind: number * train / 3 for kind, number in nucleotides.items()}
    return TrainingSize(codons, residues * train, residues * test, estimated=True)
