"""Homologs of other species as negatives: the most similar, never equal, never one that the DNA gives."""

from dataclasses import replace

import numpy as np
import pytest

from lifecode.alphabet import AMINO_ACIDS, STOP, encode_nucleotides
from lifecode.data import read_records
from lifecode.data.cds.coding_sequence import ExactPair
from lifecode.data.cds.translation import reverse_translate
from lifecode.data.records import CodingSequence, Contig, Exon
from lifecode.datasets.central_dogma import CodingSequenceOnly, GeneWithFlanks, Homologs, make_dataset
from lifecode.datasets.central_dogma.genes import Gene
from lifecode.datasets.central_dogma.homologs import similarity
from lifecode.errors import UserError
from tests.support.dogma_rows import biopython_reads, read
from tests.support.genes_with_introns import write_random

RANDOM = np.random.default_rng(0)
ANCESTORS = ["M" + "".join(RANDOM.choice(list(AMINO_ACIDS[:20]), 200)) for _ in range(12)]


def species(name, proteins):
    """A contig of one CDS a protein, on alternating strands, 150 nucleotides apart."""
    pieces, coding, at = [], [], 0
    for number, protein in enumerate(proteins):
        gene = encode_nucleotides(reverse_translate(protein) + "TAA")
        strand = 1 if number % 2 == 0 else -1
        start, end = at + 150, at + 150 + len(gene)
        pieces += [encode_nucleotides("C" * 150), gene if strand == 1 else 3 - gene[::-1]]
        coding.append(CodingSequence(f"{name}{number}", None, (Exon(start, end, strand),), protein=protein))
        at = end
    dna = np.concatenate([*pieces, encode_nucleotides("C" * 150)])
    return Contig(f"contig_{name}", dna, f"{name}.gb", organism=name, coding_sequences=tuple(coding))


def mutated(protein, every):
    """Every so many residues another one."""
    return "".join(
        "WA"[letter == "W"] if i and i % every == 0 else letter for i, letter in enumerate(protein)
    )


NEAR, FAR = [mutated(protein, 40) for protein in ANCESTORS], [mutated(protein, 12) for protein in ANCESTORS]


def gene_of(protein):
    ids = np.array([AMINO_ACIDS.index(letter) for letter in protein] + [STOP], dtype=np.uint8)
    coding = CodingSequence("x", None, (Exon(0, 3, 1),), protein=protein)
    nucleotides = encode_nucleotides("ACG")
    return Gene(Contig("A", nucleotides, "by hand"), ExactPair(coding, nucleotides, ids))


def test_similarity_is_the_jaccard_index_of_5_mers():
    assert similarity(gene_of("MACDEFG"), gene_of("MACDEFG")) == 1
    assert similarity(gene_of("MACDEFG"), gene_of("MACDEFW")) == 2 / 4
    assert similarity(gene_of("MACD"), gene_of("MACDEFW")) == 0


@pytest.mark.parametrize("dna", [CodingSequenceOnly(), GeneWithFlanks(flank_nucleotides=100)])
def test_the_best_homolog_of_another_species_is_the_negative(tmp_path, dna):
    contigs = [species("a", ANCESTORS), species("b", NEAR), species("c", FAR)]
    report = make_dataset(contigs, tmp_path / "out", Homologs(dna=dna))
    rows = read(tmp_path / "out")
    assert {kind: sum(splits.values()) for kind, splits in report["examples"].items()} == {
        "homolog": 36,
        "positive": 36,
    }
    best = {f"contig_a:a{i}": f"contig_b:b{i}" for i in range(12)}
    best |= {f"contig_b:b{i}": f"contig_a:a{i}" for i in range(12)}
    found = {row["seq_id_a"]: row["seq_id_b"] for row in rows if row["kind"] == "homolog"}
    assert {name: found[name] for name in best} == best
    protein_of = {row["seq_id_b"]: row["seq_b"] for row in rows if row["label"] == "1"}
    for row in rows:
        assert (biopython_reads(row) == row["seq_b"]) == (row["label"] == "1")
        assert row["seq_b"] == protein_of[row["seq_id_b"]]
        if row["kind"] == "homolog":
            score = similarity(gene_of(row["seq_b"]), gene_of(protein_of[row["seq_id_a"]]))
            assert float(row["similarity"]) == pytest.approx(score, abs=1e-6)
            assert row["homolog_species"] != row["species"]


def test_a_gene_and_its_homolog_are_in_one_split(tmp_path):
    contigs = [species("a", ANCESTORS), species("b", NEAR)]
    make_dataset(contigs, tmp_path / "out", Homologs(dna=CodingSequenceOnly(), shares=(1, 1, 1)))
    split_of = {}
    for row in read(tmp_path / "out"):
        for name in (row["seq_id_a"], row["seq_id_b"]):
            assert split_of.setdefault(name, row["split"]) == row["split"]
    assert set(split_of.values()) == {"train", "dev", "test"}


def test_an_equal_protein_is_no_negative_but_the_next_one_is(tmp_path):
    contigs = [species("a", ANCESTORS[:2]), species("b", ANCESTORS[:2]), species("c", [NEAR[0]])]
    report = make_dataset(contigs, tmp_path / "out", Homologs(dna=CodingSequenceOnly()))
    rows = read(tmp_path / "out")
    assert {row["seq_b"] for row in rows if row["label"] == "0"} == {NEAR[0], ANCESTORS[0]}
    assert all(row["seq_id_a"][-1] == "0" for row in rows)
    # The two genomes have the same CDS, so those of b are twins of a's; a1 then has no homolog left.
    assert report["left_out"] == {"duplicate": 2, "no_homolog": 1}


def test_a_shorter_protein_of_the_same_gene_is_no_negative(tmp_path):
    """The homolog begins at a later start codon of the same gene, so the DNA gives it too."""
    long = "MACDEFGHI" + ANCESTORS[0]
    contigs = [species("a", [long]), species("b", [ANCESTORS[0]])]
    report = make_dataset(contigs, tmp_path / "out", Homologs(dna=CodingSequenceOnly()))
    assert [row["seq_id_a"] for row in read(tmp_path / "out")] == ["contig_b:b0"] * 2
    assert report["left_out"] == {"no_homolog": 1}


def test_a_paralog_is_no_homolog_and_the_threshold_holds(tmp_path):
    contigs = [species("a", [ANCESTORS[0], NEAR[0]]), species("b", [FAR[0]])]
    score = similarity(gene_of(ANCESTORS[0]), gene_of(FAR[0]))
    assert 0.4 < score < 0.45  # 12 residues have 12 5-mers, of which a change leaves 7: 7 of 17
    report = make_dataset(contigs, tmp_path / "low", Homologs(dna=CodingSequenceOnly(), at_least=0.3))
    negative_of = {row["seq_id_a"]: row["seq_b"] for row in read(tmp_path / "low") if row["label"] == "0"}
    assert negative_of["contig_a:a0"] == FAR[0]
    assert report["left_out"] == {}
    with pytest.raises(UserError, match="3 no_homolog"):
        make_dataset(contigs, tmp_path / "high", Homologs(dna=CodingSequenceOnly(), at_least=0.5))


def test_one_species_has_no_homologs(tmp_path):
    with pytest.raises(UserError, match="input: homologs need two species, found a"):
        make_dataset([species("a", ANCESTORS)], tmp_path / "out", Homologs(dna=CodingSequenceOnly()))
    assert list(tmp_path.iterdir()) == []


def test_unrelated_genomes_give_no_example(tmp_path):
    files = [write_random(tmp_path / f"{i}.gb", 8, seed=i, organism=f"Casus {i}") for i in (1, 2)]
    contigs = [replace(contig, name=contig.source) for contig in read_records(files)]
    with pytest.raises(UserError, match=r"none of 16 CDS gives an example \(16 no_homolog\)"):
        make_dataset(contigs, tmp_path / "out", Homologs(dna=CodingSequenceOnly()))


def test_the_order_of_the_files_does_not_matter(tmp_path):
    contigs = [species("a", ANCESTORS), species("b", NEAR), species("c", FAR)]
    for name, order in (("one", contigs), ("two", contigs[::-1])):
        make_dataset(order, tmp_path / name, Homologs(dna=CodingSequenceOnly()), seed=3)
    one, two = (read(tmp_path / name) for name in ("one", "two"))
    assert sorted(map(str, one)) == sorted(map(str, two))


@pytest.mark.parametrize("at_least", [0.0, 1.1])
def test_a_similarity_out_of_range(at_least):
    with pytest.raises(UserError, match=r"at_least .* is no similarity"):
        Homologs(dna=CodingSequenceOnly(), at_least=at_least)
