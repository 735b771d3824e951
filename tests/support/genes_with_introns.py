"""Genomes with introns, written as GenBank files by Biopython: one by hand, one of random genes."""

import random
from itertools import pairwise
from pathlib import Path

from Bio import SeqIO
from Bio.Seq import Seq
from Bio.SeqFeature import CompoundLocation, SeqFeature, SimpleLocation
from Bio.SeqRecord import SeqRecord

EXON_1, INTRON, EXON_2 = "ATGAAAC", "GTAAGTTTTTTTTTTTTTAG", "CCGATTAA"
BY_HAND = "C" * 30 + EXON_1 + INTRON + EXON_2 + "G" * 30
"""ATG AAA C|CC GAT TAA reads MKPD; the exons are [30, 37) and [57, 65)."""


def cds(exons: list[tuple[int, int]], strand: int, protein: str, **qualifiers: str) -> SeqFeature:
    """A CDS feature whose exons are given 5' to 3'."""
    parts = [SimpleLocation(start, end, strand) for start, end in exons]
    location = parts[0] if len(parts) == 1 else CompoundLocation(parts)
    told = {"protein_id": [f"P{exons[0][0]}"], "translation": [protein]}
    return SeqFeature(location, "CDS", qualifiers=told | {key: [value] for key, value in qualifiers.items()})


def record(name: str, dna: str, features: list[SeqFeature], organism: str) -> SeqRecord:
    """A GenBank record."""
    annotations = {"molecule_type": "DNA", "source": organism, "organism": organism}
    return SeqRecord(Seq(dna), id=f"{name}.1", name=name, annotations=annotations, features=features)


def write_genbank(path: Path, *records: SeqRecord) -> Path:
    """The records as a GenBank file."""
    SeqIO.write(records, path, "genbank")
    return path


def write_by_hand(path: Path) -> Path:
    """The gene by hand on the forward strand of one contig and on the reverse strand of another."""
    forward = record("FORWARD", BY_HAND, [cds([(30, 37), (57, 65)], 1, "MKPD")], "Manus manus")
    length = len(BY_HAND)
    exons = [(length - 37, length - 30), (length - 65, length - 57)]
    reverse = record(
        "REVERSE", str(Seq(BY_HAND).reverse_complement()), [cds(exons, -1, "MKPD")], "Manus manus"
    )
    return write_genbank(path, forward, reverse)


def write_random(path: Path, num_genes: int, seed: int, organism: str = "Casus fortuitus") -> Path:
    """Random genes of one to four exons on alternating strands, 300 nucleotides apart."""
    draw = random.Random(seed)
    dna, features = "".join(draw.choices("ACGT", k=300)), []
    for number in range(num_genes):
        gene, exons, protein = _random_gene(draw)
        strand = 1 if number % 2 == 0 else -1
        start, length = len(dna), len(gene)
        if strand == 1:
            dna += gene
            placed = [(start + a, start + b) for a, b in exons]
        else:
            dna += str(Seq(gene).reverse_complement())
            placed = [(start + length - b, start + length - a) for a, b in exons]
        features.append(cds(placed, strand, protein))
        dna += "".join(draw.choices("ACGT", k=300))
    return write_genbank(path, record("RANDOM", dna, features, organism))


def _random_gene(draw: random.Random) -> tuple[str, list[tuple[int, int]], str]:
    """Nucleotides with canonical introns, the exons on them, and the protein."""
    codons = [a + b + c for a in "ACGT" for b in "ACGT" for c in "ACGT"]
    sense = [codon for codon in codons if codon not in ("TAA", "TAG", "TGA")]
    coding = "ATG" + "".join(draw.choices(sense, k=draw.randint(40, 80))) + draw.choice(["TAA", "TAG", "TGA"])
    cuts = [0, *sorted(draw.sample(range(9, len(coding) - 9, 10), draw.randint(0, 3))), len(coding)]
    gene, exons = "", []
    for first, last in pairwise(cuts):
        gene += "GT" + "".join(draw.choices("ACGT", k=draw.randint(100, 200))) + "AG" if gene else ""
        exons.append((len(gene), len(gene) + last - first))
        gene += coding[first:last]
    return gene, exons, str(Seq(coding).translate(to_stop=True))
