"""Introns of the fly, homologs of yeast and E. coli; Biopython translates what the files do not."""

import gzip
from collections import Counter, defaultdict
from dataclasses import replace

import pytest
from Bio.Seq import Seq

from lifecode.alphabet import decode_nucleotides, reverse_complement
from lifecode.data import read_records
from lifecode.data.records import CodingSequence, Exon
from lifecode.datasets.central_dogma import (
    CodingSequenceOnly,
    GeneWithFlanks,
    Homologs,
    Pairs,
    PreMrnas,
    SpliceWindows,
    make_dataset,
)
from lifecode.datasets.central_dogma.genes import read_genes
from tests.support.dogma_rows import biopython_reads, by_kind, read


def translated(contig, name, exons):
    """A CDS whose protein is what Biopython makes of its exons; partial if that begins or ends wrongly."""
    pieces = [contig.nucleotides[start:end] for start, end, _ in exons]
    pieces = [piece if exons[0].strand == 1 else reverse_complement(piece) for piece in pieces]
    dna = "".join(map(decode_nucleotides, pieces))
    protein = str(Seq(dna[: len(dna) // 3 * 3]).translate())
    whole = len(dna) % 3 == 0 and protein.startswith("M") and protein.find("*") == len(protein) - 1
    return CodingSequence(name, None, exons, protein=protein.removesuffix("*"), partial=not whole)


@pytest.fixture(scope="module")
def fly(shared_data):
    """The first per cent of the fly, its CDS gathered by transcript."""
    exons = defaultdict(list)
    with gzip.open(shared_data("genomes/D.melanogaster.1pct.gff.gz"), "rt") as file:
        for line in file:
            fields = line.rstrip("\n").split("\t")
            if len(fields) == 9 and fields[2] == "CDS":
                told = dict(entry.split("=") for entry in fields[8].split(";") if "=" in entry)
                for parent in told["Parent"].split(","):
                    strand = 1 if fields[6] == "+" else -1
                    exons[fields[0], parent].append(Exon(int(fields[3]) - 1, int(fields[4]), strand))
    contigs = []
    for contig in read_records(shared_data("genomes/D.melanogaster.1pct.fa.gz")):
        coding = [
            translated(contig, name, tuple(sorted(of_it)[:: of_it[0].strand]))
            for (place, name), of_it in exons.items()
            if place == contig.name
        ]
        contigs.append(replace(contig, coding_sequences=tuple(coding), organism="Drosophila melanogaster"))
    return contigs


def test_pre_mrnas_of_the_fly(fly, tmp_path):
    report = make_dataset(fly, tmp_path / "out", PreMrnas())
    assert report["genes"] == {"exact": 236, "with_introns": 212}
    rows = read(tmp_path / "out", "gene/nucleotide_class")
    assert len(rows) == 133
    for row in rows:
        spliced = "".join(
            base for base, region in zip(row["seq"], row["regions"], strict=True) if region == "E"
        )
        protein = str(Seq(spliced).translate())
        assert protein[0] + protein[-1] == "M*"
        assert "*" not in protein[:-1]


def test_splice_sites_of_the_fly_are_gt_ag_but_for_five_gc(fly, tmp_path):
    make_dataset(fly, tmp_path / "out", SpliceWindows())
    rows = read(tmp_path / "out", "gene/multi_class")
    sites = Counter(
        (row["kind"], row["seq"][200:202] if row["kind"].endswith("donor") else row["seq"][198:200])
        for row in rows
    )
    assert sites == {
        ("donor", "GT"): 281,
        ("donor", "GC"): 5,
        ("acceptor", "AG"): 283,
        ("no_donor", "GT"): 286,
        ("no_acceptor", "AG"): 283,
    }


def test_pairs_of_the_fly(fly, tmp_path):
    make_dataset(fly, tmp_path / "out", Pairs(dna=GeneWithFlanks()))
    rows = read(tmp_path / "out")
    assert by_kind(rows)["positive"] * 3 == len(rows) == 444
    for row in rows:
        assert (biopython_reads(row) == row["seq_b"]) == (row["label"] == "1"), row["seq_id_a"]


@pytest.mark.slow
def test_homologs_of_yeast_and_ecoli(shared_data, tmp_path):
    yeast = [
        replace(
            contig,
            organism="Saccharomyces cerevisiae",
            coding_sequences=(translated(contig, "cds", (Exon(0, len(contig.nucleotides), 1),)),),
        )
        for contig in read_records(shared_data("genomes/yeast_cds_R64_ensembl107.fa.gz"))
    ]
    ecoli = list(read_records("ecoli"))
    make_dataset([*yeast, *ecoli], tmp_path / "out", Homologs(dna=CodingSequenceOnly()))
    rows = read(tmp_path / "out")
    for row in rows:
        assert (biopython_reads(row) == row["seq_b"]) == (row["label"] == "1"), row["seq_id_a"]
    found = {
        (row["seq_id_a"], row["seq_id_b"]): float(row["similarity"])
        for row in rows
        if row["kind"] == "homolog"
    }
    proteins = [
        {gene.id: gene.protein for gene in read_genes(of_species).genes} for of_species in (yeast, ecoli)
    ]
    assert found == pytest.approx(similar_by_counting(*proteins, at_least=0.1), abs=1e-6)
    assert len(found) == 8


def similar_by_counting(ours, theirs, at_least):
    """The best partner of every protein that has one in the other species, with the Jaccard index of 5-mers,
    from an index of all 5-mers instead of sketches; of equals the first by name."""
    kmers = {name: {protein[i : i + 5] for i in range(len(protein) - 4)} for name, protein in ours.items()}
    kmers |= {name: {protein[i : i + 5] for i in range(len(protein) - 4)} for name, protein in theirs.items()}
    having = defaultdict(list)
    for name in theirs:
        for kmer in kmers[name]:
            having[kmer].append(name)
    best = {}
    for name in ours:
        shared = Counter(other for kmer in kmers[name] for other in having.get(kmer, ()))
        for other, count in shared.items():
            score = count / (len(kmers[name]) + len(kmers[other]) - count)
            if score >= at_least:
                for one, two in ((name, other), (other, name)):
                    best[one] = min(best.get(one, (0, "")), (-score, two))
    return {(one, two): -score for one, (score, two) in best.items()}
