"""Codon usage by hand, against Biopython, and the Kazusa tables of Figure 6."""

from collections import Counter

import numpy as np
import pytest
import python_codon_tables
from Bio.Data import CodonTable

from lifecode.alphabet import AMINO_ACIDS, CODONS, decode_nucleotides, encode_nucleotides
from lifecode.data.cds.codon_usage import (
    FIGURE_6_ORGANISMS,
    codon_usage,
    codons_by_main_code,
    gc3_content,
    kazusa_usage,
    relative_usage,
    usage_difference,
)
from lifecode.errors import UserError
from lifecode.genetic_code import genetic_code

LYSINE = [CODONS.index("AAA"), CODONS.index("AAG")]
EVERY_TABLE = python_codon_tables.available_codon_tables_names


def counts_of(**number_of):
    counts = np.zeros(64, dtype=np.int64)
    for codon, number in number_of.items():
        counts[CODONS.index(codon)] = number
    return counts


def test_codons_are_counted_in_frame_and_ambiguous_ones_are_not():
    counts = codon_usage(encode_nucleotides("ATGAAAAAGAARAAATAA"))
    assert counts.tolist() == counts_of(ATG=1, AAA=2, AAG=1, TAA=1).tolist()
    assert codon_usage(np.empty(0, dtype=np.uint8)).tolist() == [0] * 64


def test_counts_are_those_of_the_strings(small_corpus):
    table = small_corpus.segments("cds", "train")
    expected = Counter()
    for index in range(len(table)):
        text = decode_nucleotides(table.nucleotides(index))
        expected.update(text[i : i + 3] for i in range(0, len(text), 3))
    counts = codon_usage(table.all_nucleotides)
    assert {codon: n for codon, n in zip(CODONS, counts.tolist(), strict=True) if n} == dict(expected)


def test_shares_are_among_the_codons_of_a_residue_and_unknown_without_any():
    usage = relative_usage(counts_of(AAA=3, AAG=1, ATG=5, TAA=1, TGA=3))
    assert usage[LYSINE].tolist() == [0.75, 0.25]
    assert usage[CODONS.index("ATG")] == 1
    assert usage[[CODONS.index(stop) for stop in ("TAA", "TAG", "TGA")]].tolist() == [0.25, 0, 0.75]
    assert np.isnan(usage[CODONS.index("GCT")])


@pytest.mark.parametrize("number", [1, 2, 4, 11])
def test_synonyms_are_those_of_the_genetic_code(number):
    table = CodonTable.unambiguous_dna_by_id[number]
    counts = np.arange(1, 65)
    usage = relative_usage(counts, number)
    for index, codon in enumerate(CODONS):
        residue = table.forward_table.get(codon, "*")
        synonyms = [i for i, other in enumerate(CODONS) if table.forward_table.get(other, "*") == residue]
        assert usage[index] == pytest.approx(counts[index] / counts[synonyms].sum())


@pytest.mark.parametrize("organism", EVERY_TABLE)
def test_kazusa_shares_add_up_to_one_and_are_the_tables_up_to_rounding(organism):
    usage = kazusa_usage(organism)
    residues = genetic_code(1).residues[:64]
    np.testing.assert_allclose(np.bincount(residues, weights=usage), np.ones(21))
    for residue, shares in python_codon_tables.get_codons_table(organism).items():
        for codon, share in shares.items():
            assert residues[CODONS.index(codon)] == AMINO_ACIDS.index(residue)
            assert usage[CODONS.index(codon)] == pytest.approx(share, abs=0.01)


def test_the_four_species_of_figure_6_have_tables():
    assert list(FIGURE_6_ORGANISMS) == ["E. coli", "S. cerevisiae", "D. melanogaster", "H. sapiens"]
    assert set(FIGURE_6_ORGANISMS.values()) <= set(EVERY_TABLE)
    assert kazusa_usage("s_cerevisiae_4932")[LYSINE].tolist() == [0.58, 0.42]


def test_an_organism_without_a_table_is_named():
    with pytest.raises(UserError, match=r"no codon usage table for organism 'm_genitalium'.*e_coli_316407"):
        kazusa_usage("m_genitalium")


def test_difference_is_a_mean_over_codons_with_a_synonym_that_both_have():
    first = relative_usage(counts_of(AAA=3, AAG=1, ATG=5, TTT=1))
    second = relative_usage(counts_of(AAA=1, AAG=3, ATG=2, GAT=1))
    assert usage_difference(first, second) == pytest.approx(0.5)
    third = relative_usage(counts_of(AAA=3, AAG=1, TTT=1, TTC=1))
    assert usage_difference(first, third) == pytest.approx((0 + 0 + 0.5 + 0.5) / 4)
    assert usage_difference(third, third) == 0
    assert np.isnan(usage_difference(first, relative_usage(counts_of(ATG=1, GAT=1))))


def test_codes_that_read_alike_are_counted_together():
    codons = {2: counts_of(AAA=3), 1: counts_of(AAA=2), 11: counts_of(AAA=2, AAG=1)}
    number, counts = codons_by_main_code(codons)
    assert number == 1
    assert counts.tolist() == counts_of(AAA=4, AAG=1).tolist()
    assert codons_by_main_code({2: counts_of(AAA=9), **codons})[0] == 1
    assert codons_by_main_code({**codons, 2: counts_of(AAA=9)})[0] == 2


def test_gc3_counts_third_positions_alone():
    assert gc3_content(counts_of(GCA=3, AAG=1)) == 0.25
    assert np.isnan(gc3_content(counts_of()))


def test_ecoli_genes_are_nearest_to_the_table_of_ecoli(small_corpus):
    usage = relative_usage(codon_usage(small_corpus.segments("cds", "train").all_nucleotides), 11)
    differences = {
        name: usage_difference(usage, kazusa_usage(table)) for name, table in FIGURE_6_ORGANISMS.items()
    }
    assert min(differences, key=differences.__getitem__) == "E. coli"
    assert differences["E. coli"] < 0.05 < differences["H. sapiens"]
