import numpy as np
import pytest
from Bio.Data import CodonTable
from Bio.Seq import Seq

from lifecode.alphabet import AMINO_ACIDS, CODONS, IGNORE, STOP, codon_ids, encode_nucleotides
from lifecode.data.translation import reverse_translate, translate
from lifecode.errors import UserError
from lifecode.genetic_code import genetic_code, genetic_code_numbers
from lifecode.usage_tables import find_usage_table, usage_table

CONTEXT_DEPENDENT_STOPS = (27, 28, 31)


def test_all_ncbi_tables_are_known():
    assert genetic_code_numbers() == tuple(sorted(CodonTable.unambiguous_dna_by_id))


@pytest.mark.parametrize("number", genetic_code_numbers())
def test_every_codon_reads_as_biopython_reads_it(number):
    table = CodonTable.unambiguous_dna_by_id[number]
    expected = "".join(table.forward_table.get(codon, "*") for codon in CODONS)
    assert translate("".join(CODONS), number) == expected


def test_biopython_translates_the_same_in_the_bacterial_code():
    assert translate("".join(CODONS), 11) == str(Seq("".join(CODONS)).translate(11))


def test_alternative_start_is_methionine_only_at_the_start_of_a_cds():
    assert translate("GTGGTGTAA", 11) == "VV*"
    assert translate("GTGGTGTAA", 11, complete_cds=True) == "MV*"
    assert translate("GTGGTGTAA", 1, complete_cds=True) == "VV*"


def test_ambiguous_codon_is_x_and_ignored():
    code = genetic_code(1)
    codons = codon_ids(encode_nucleotides("ATGGGNTAA"))
    assert code.translate(codons) == "MX*"
    assert code.amino_acids(codons).tolist() == [AMINO_ACIDS.index("M"), IGNORE, STOP]


def test_ambiguous_codon_at_either_end_is_no_start_and_no_stop():
    assert translate("NNNATGNNN", 11, complete_cds=True) == "XMX"


def test_rest_after_the_last_codon_is_ignored():
    assert translate("auggcau") == "MA"


def test_empty_sequence_has_an_empty_protein():
    assert translate("", complete_cds=True) == ""


def test_codon_that_is_residue_and_stop_ends_a_complete_cds():
    assert translate("ATGTGATGA", 27) == "MWW"
    assert translate("ATGTGATGA", 27, complete_cds=True) == "MW*"


def test_unknown_genetic_code_lists_the_known_ones():
    with pytest.raises(UserError, match=r"genetic code 7 does not exist.*1, 2, 3, 4, 5, 6, 9"):
        translate("ATG", 7)


def test_reverse_translation_takes_the_most_frequent_codon():
    # Kazusa, E. coli W3110: Leu CTG 0.5, Ala GCG 0.36, stop TAA 0.64; human: GCC 0.4, TGA 0.47
    assert reverse_translate("MLA*") == "ATGCTGGCGTAA"
    assert reverse_translate("MLA*", "h_sapiens") == "ATGCTGGCCTGA"


def test_reverse_translation_only_uses_codons_that_the_code_reads_back():
    assert reverse_translate("L", genetic_code=26) != "CTG"  # CTG is alanine there
    assert reverse_translate("A", genetic_code=26) == "GCG"
    assert reverse_translate("*", genetic_code=6) == "TGA"


@pytest.mark.parametrize("number", genetic_code_numbers())
def test_twenty_residues_and_stop_come_back_in_every_code(number):
    protein = "M" + AMINO_ACIDS
    complete = number in CONTEXT_DEPENDENT_STOPS
    assert (
        translate(reverse_translate(protein, genetic_code=number), number, complete_cds=complete) == protein
    )


def test_selenocysteine_and_pyrrolysine_are_written_as_the_stops_that_are_recoded():
    assert reverse_translate("MUAO") == "ATGTGAGCGTAG"


def test_several_sequences_give_the_same_as_one():
    genes = ["GTGGTGTAA", "ATGGGNTAA"]
    assert translate(genes, 11, complete_cds=True) == ["MV*", "MX*"]
    assert translate(iter(genes)) == [translate(gene) for gene in genes] == ["VV*", "MX*"]
    assert translate(np.array(genes[:1])) == ["VV*"]
    assert translate([]) == []
    assert reverse_translate(["MLA*", "W"], "h_sapiens") == ["ATGCTGGCCTGA", "TGG"]
    with pytest.raises(UserError, match="record 1: letter '!' at position 1"):
        translate(["ATG", "!TG"])
    with pytest.raises(UserError, match="record 1: letter '1' at position 2"):
        reverse_translate(["MK", "M1"])


def test_sampled_codons_are_a_function_of_seed_and_protein():
    proteins = ["LSR" * 40, "MLS" * 40]
    sampled = reverse_translate(proteins, codon_choice="sampled")
    assert translate(sampled) == proteins
    assert sampled[1] == reverse_translate(proteins[1].lower(), codon_choice="sampled")
    assert sampled[0] != reverse_translate(proteins[0])
    assert sampled[0] != reverse_translate(proteins[0], codon_choice="sampled", seed=1)
    with pytest.raises(UserError, match="codon_choice: 'rare' is unknown"):
        reverse_translate("M", codon_choice="rare")
    with pytest.raises(UserError, match="seed: is -1, expected 0 or more"):
        reverse_translate("M", codon_choice="sampled", seed=-1)
    with pytest.raises(UserError, match=r"genetic_code: is '11', expected int"):
        translate("ATG", genetic_code="11")


def test_residues_that_stand_for_several_become_n():
    assert reverse_translate("BJXZ") == "N" * 12


def test_reverse_translation_names_the_wrong_letter_and_the_unknown_organism():
    with pytest.raises(UserError, match="letter '1' at position 3"):
        reverse_translate("MK1")
    with pytest.raises(UserError, match=r"organism 'unicorn'.*e_coli"):
        reverse_translate("MK", "unicorn")


@pytest.mark.parametrize("name", ["h_sapiens", "h_sapiens_9606", "Homo sapiens", "H. sapiens", "9606"])
def test_an_organism_is_called_as_people_call_it(name):
    assert usage_table(name) == "h_sapiens_9606"
    assert reverse_translate("MKL", name) == "ATGAAGCTG"


@pytest.mark.parametrize(
    ("name", "species"),
    [
        ("562", "e_coli"),
        ("txid511145", "e_coli"),
        ("Escherichia coli str. K-12 substr. MG1655", "e_coli"),
        ("E. coli BL21(DE3)", "e_coli"),
        ("NCBITaxon:559292", "s_cerevisiae"),
        ("baker's yeast", "s_cerevisiae"),
        ("Mus musculus castaneus", "m_musculus"),
        ("Mus musculus domesticus", "m_musculus_domesticus"),
        ("Cunninghamella elegans", None),  # no Caenorhabditis
        ("Entamoeba coli", None),
        ("Escherichia coli phage T4", None),
        ("Homo sapiens mitochondrion", None),
        ("d.melanogaster.1pct.gff.gz", None),  # a file
        ("e_coli.gb", None),
    ],
)
def test_strains_and_taxa_have_the_table_of_their_species_and_of_no_other(name, species):
    found = find_usage_table(name)
    assert (found and found.rpartition("_")[0]) == species


def test_lookup_arrays_cannot_be_changed():
    with pytest.raises(ValueError, match="read-only"):
        genetic_code(1).residues[0] = np.int16(3)
