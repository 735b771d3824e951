"""A piece of the shipped E. coli genome as a GenBank file, small enough to train on in seconds."""

import gzip
from pathlib import Path

from Bio import SeqIO

from lifecode.data.reading.read import packaged_genomes


def write_small_genome(path: Path, num_nucleotides: int = 60_000) -> Path:
    """The first nucleotides of E. coli K-12 with the genes that lie in them."""
    with gzip.open(packaged_genomes()["ecoli"], "rt") as file:
        record = next(SeqIO.parse(file, "genbank"))
    piece = record[:num_nucleotides]
    piece.annotations["molecule_type"] = "DNA"
    SeqIO.write(piece, path, "genbank")
    return path
