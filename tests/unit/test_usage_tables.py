"""Codon usage tables by the names that people give species, and by no other species' name."""

import pytest

from lifecode.data.translation import reverse_translate
from lifecode.design.host import host_usage
from lifecode.errors import UserError
from lifecode.usage_tables import USAGE_TABLES, find_usage_table, usage_table

SPECIES = {
    "Bacillus subtilis": "b_subtilis_1423",
    "Caenorhabditis elegans": "c_elegans_6239",
    "Drosophila melanogaster": "d_melanogaster_7227",
    "Escherichia coli": "e_coli_316407",
    "Gallus gallus": "g_gallus_9031",
    "Homo sapiens": "h_sapiens_9606",
    "Mus musculus": "m_musculus_10090",
    "Mus musculus domesticus": "m_musculus_domesticus_10092",
    "Saccharomyces cerevisiae": "s_cerevisiae_4932",
}


@pytest.mark.parametrize("name", ["h_sapiens", "h_sapiens_9606", "Homo sapiens", "H. sapiens", "9606"])
def test_an_organism_is_called_as_people_call_it(name):
    assert usage_table(name) == "h_sapiens_9606"
    assert reverse_translate("MKL", name) == "ATGAAGCTG"


def test_every_table_is_found_by_species_and_abbreviation():
    assert set(SPECIES.values()) == set(USAGE_TABLES)
    for name, table in SPECIES.items():
        genus, rest = name.split(" ", 1)
        forms = [name, name.upper(), name.replace(" ", "_"), f"{genus[0]}. {rest}", f"{genus[0]}.{rest}"]
        assert {find_usage_table(form) for form in [*forms, f"{genus[0]} {rest}"]} == {table}


@pytest.mark.parametrize(
    "name",
    ["Entamoeba coli", "Cunninghamella elegans", "Brevibacterium subtilis", "Esch. coli", "Hom sapiens"],
)
def test_another_genus_of_the_same_letter_is_another_species(name):
    assert find_usage_table(name) is None
    with pytest.raises(UserError, match="no codon usage table"):
        reverse_translate("MK", name)
    with pytest.raises(UserError, match="there is no table of"):
        host_usage(name)


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
