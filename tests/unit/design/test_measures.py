"""CAI, %MinMax and the codon pair score by hand, CAI beside Biopython's; hosts of tables and genomes."""

import numpy as np
import pytest
from Bio.SeqUtils import CodonAdaptationIndex

from lifecode.alphabet import CODONS, STOP, codon_ids
from lifecode.data.cds.coding_sequence import ExactPair, verify_all
from lifecode.data.reading.read import read_records
from lifecode.design.host import best_codons, counted, host_usage, matched_usage
from lifecode.design.measures import (
    codon_adaptation_index,
    codon_pair_score,
    codons_changed,
    gc_share,
    min_max,
)
from lifecode.design.sites import count_sites, named_sites
from lifecode.design.synonyms import choices, residues_of, synonym_family
from lifecode.errors import UserError
from lifecode.genetic_code import genetic_code
from tests.support.hosts import host_of, ids

HOST = host_of({"AAA": 0.03, "AAG": 0.01, "GAC": 0.01, "GAT": 0.05})
"""Lysine 3 : 1 for AAA, aspartate 5 : 1 for GAT."""


def test_cai_is_the_geometric_mean_of_relative_adaptiveness():
    assert codon_adaptation_index(ids("AAAGAT"), HOST) == 1
    assert codon_adaptation_index(ids("AAGGAC"), HOST) == pytest.approx((1 / 3 * 1 / 5) ** 0.5)
    assert codon_adaptation_index(ids("ATGAAGTGGGATTAA"), HOST) == pytest.approx(
        (1 / 3) ** 0.5
    )  # no M, W, stop
    assert np.isnan(codon_adaptation_index(ids("ATGTGG"), HOST))


def test_min_max_by_hand():
    # Lysine: mean .02; aspartate: mean .03. Two codons: most .08, least .02, average .05.
    assert min_max(ids("AAAGAT"), HOST, window=2).tolist() == pytest.approx([100])
    assert min_max(ids("AAGGAC"), HOST, window=2).tolist() == pytest.approx([-100])
    assert min_max(ids("AAAGAC"), HOST, window=2).tolist() == pytest.approx([-100 * 0.01 / 0.03])
    assert min_max(ids("AAGGAT"), HOST, window=2).tolist() == pytest.approx([100 * 0.01 / 0.03])
    assert min_max(ids("AAAGATGACAAGTAA"), HOST, window=2).tolist() == pytest.approx([100, 0, -100])
    assert min_max(ids("ATGTGG"), HOST, window=2).tolist() == [0]  # no choice
    assert len(min_max(ids("AAA"), HOST, window=2)) == 0


def test_codon_pair_score_by_hand():
    pairs = {("AAA", "AAA"): 4, ("AAA", "AAG"): 2, ("AAG", "AAA"): 2}
    host = host_of({"AAA": 0.03, "AAG": 0.01}, pairs)
    assert codon_pair_score(ids("AAAAAA"), host) == pytest.approx(np.log(4 / (0.75 * 0.75 * 8)))
    assert codon_pair_score(ids("AAGAAG"), host) == pytest.approx(np.log(0.5 / (0.25 * 0.25 * 8)))
    expected = (np.log(4 / 4.5) + np.log(2 / 1.5)) / 2
    assert codon_pair_score(ids("AAAAAAAAG"), host) == pytest.approx(expected)
    assert codon_pair_score(ids("AAAAAA"), HOST) is None


def test_gc_distance_and_sites():
    assert gc_share(ids("AAAGGC")) == 0.5
    assert codons_changed(ids("AAAGAT"), ids("AAGGAT")) == 1
    assert count_sites("GAATTCAGAATTC", ["EcoRI"]) == 2
    assert count_sites("AAGGTCTCAAGAGACC", ["BsaI"]) == 2  # on both strands
    assert count_sites("AAGGTCTCAA", ["BsaI", "GGNCT"]) == 2
    assert count_sites("ACGT", []) == 0
    assert count_sites("TTGGGAGAATTTCTCCCAC", ["HpyUM037X"]) == 2  # which has two motifs


def test_enzymes_and_motifs_as_people_write_them():
    given = "bsai-HFv2; ECORI,EcoRV,gaauuc BsmBI-v2,"
    assert named_sites(given) == ["BsaI", "EcoRI", "EcoRV", "GAATTC", "BsmBI"]
    assert named_sites(["NotI-HF,SapI", "ggtctc"]) == ["NotI", "SapI", "GGTCTC"]
    assert named_sites(None) == []


def test_a_genome_is_counted_and_its_cai_is_biopythons(small_genome):
    host = host_usage(str(small_genome))
    (contig,) = read_records(str(small_genome))
    genes = [one.nucleotides for one in verify_all(contig) if isinstance(one, ExactPair)]
    assert (host.num_genes, host.genetic_code) == (len(genes), 11)
    texts = ["".join(CODONS[c] for c in codon_ids(gene)) for gene in genes]
    theirs = CodonAdaptationIndex([text[3:] for text in texts])  # start codons do not count
    for text in texts[:5]:
        assert codon_adaptation_index(ids(text[3:]), host) == pytest.approx(theirs.calculate(text[3:-3]))
    pairs = host.pairs
    assert pairs is not None
    assert pairs.sum() == sum(len(text) // 3 - 2 for text in texts)


def test_a_pair_that_the_host_does_not_have_is_not_preferred():
    host = host_of({"AAA": 0.03, "AAG": 0.01}, {("AAA", "AAA"): 2})
    assert codon_pair_score(ids("AAGAAG"), host) == 0  # expected an eighth of one
    assert codon_pair_score(ids("AAAAAG"), host) == 0  # three eighths
    host = host_of({"AAA": 0.03, "AAG": 0.01}, {("AAA", "AAA"): 32})
    assert codon_pair_score(ids("AAGAAG"), host) == pytest.approx(np.log(0.5 / 2))


def test_the_code_of_a_table_is_that_of_its_species():
    for name, code in {"e_coli": 11, "b_subtilis_1423": 11, "human": 1, "4932": 1}.items():
        assert host_usage(name).genetic_code == code
        assert host_usage(name, 4).genetic_code == 4


def test_a_codon_that_the_code_has_moved_is_not_taken_for_common():
    """CTG is half of the leucines of a table of E. coli, and a serine of code 12."""
    for code, residue, codon, most in (
        (12, "S", "CTG", "AGC"),
        (4, "W", "TGA", "TGG"),
        (6, "Q", "TAA", "CAG"),
    ):
        host = host_usage("e_coli", code)
        own = choices(residues_of(residue, code, name="x"), code)
        assert CODONS[best_codons(own, host)[0]] == most
        assert host.shares[ids(codon)][0] < 0.01
        assert host.shares[own[0]].sum() == pytest.approx(1)
    assert host_usage("s_cerevisiae", 3).shares[ids("ACT")][0] > 0.25  # threonine has codons of its own


@pytest.mark.parametrize(
    "name", ["h_sapiens_9606", "h_sapiens", "9606", "Homo sapiens", "H. sapiens", "H_Sapiens", "human"]
)
def test_a_table_by_its_name_or_taxon(name):
    host = host_usage(name)
    assert (host.name, host.pairs, host.num_genes) == ("h_sapiens_9606", None, None)
    assert CODONS[best_codons(choices(residues_of("L", 1, name="x"), 1), host)[0]] == "CTG"
    for residue in range(21):
        assert host.shares[synonym_family(1) == residue].sum() == pytest.approx(1)


@pytest.mark.parametrize(
    ("host", "said"),
    [
        ("e_colli", "there is no table of 'e_colli'"),
        ("none/such.gbk", "no such file"),
        ("123", "there is no table of '123'"),
        ("P. pastoris", "there is no table of 'P. pastoris'"),
        ("", "there is no table of ''"),
    ],
)
def test_a_host_that_is_none(host, said):
    with pytest.raises(UserError, match=said):
        host_usage(host)


def test_a_host_without_coding_sequences(tmp_path):
    (tmp_path / "bare.fa").write_text(">c\nACGTACGTTAGC\n")
    with pytest.raises(UserError, match="has no coding sequence"):
        host_usage(str(tmp_path / "bare.fa"))


def test_matched_usage_has_the_shares_of_the_host():
    spelling = choices(residues_of("K" * 4000, 1, name="x"), 1)
    drawn = matched_usage(spelling, HOST, np.random.default_rng(0))
    assert (drawn == ids("AAA")).mean() == pytest.approx(0.75, abs=0.03)  # 4 standard errors
    assert set(drawn.tolist()) == {*ids("AAA").tolist(), *ids("AAG").tolist()}


def test_codons_that_may_also_stop_spell_nothing_else():
    for code, tryptophan in ((27, ["TGG"]), (28, ["TGG"]), (31, ["TGA", "TGG"])):
        family = synonym_family(code)
        table = genetic_code(code)
        assert (family[table.stops[:64]] == STOP).all()
        spelling = choices(residues_of("W", code, name="x"), code)[0]
        assert [CODONS[i] for i in np.flatnonzero(spelling)] == tryptophan


def test_codons_of_one_gene_by_hand():
    host = counted([ids("ATGAAAAAAAAGTAA")], 1, "one gene")
    assert host.shares[ids("AAA")] == pytest.approx(2 / 3)
    assert host.shares[ids("TAA")] == pytest.approx(1 / 2)  # the other two count half each
    assert host.pairs is not None
    assert host.pairs[ids("AAA"), ids("AAA")] == 1
    assert host.pairs.sum() == 3


@pytest.mark.parametrize(
    ("protein", "said"),
    [
        ("MKXA", "'X' at position 3 stands for any residue"),
        ("MUK", "'U' at position 2 is selenocysteine"),
        ("M*K", "'\\*' at position 2 is a stop before"),
        ("MK-K", "'-' at position 3 has no codon under genetic code 1"),
        ("*", "no residue"),
    ],
)
def test_a_letter_without_codon(protein, said):
    with pytest.raises(UserError, match=said):
        residues_of(protein, 1, name="p")


def test_a_file_goes_before_a_table_of_its_name(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "e_coli_mine").write_text(">g\nATGAAATAA\n")
    with pytest.raises(UserError, match="e_coli_mine"):
        host_usage("e_coli_mine")  # which is a FASTA without coding sequences
    assert host_usage("e_coli_k12").name == "e_coli_316407"
