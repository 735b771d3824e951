"""Codon usage tables of `python_codon_tables` (Kazusa's), found by the names that people give a species."""

import re

import python_codon_tables

from lifecode.errors import UserError

USAGE_TABLES = tuple(sorted(python_codon_tables.available_codon_tables_names))
"""Full names: species and NCBI taxon, such as `h_sapiens_9606`."""
_GENERA = {
    "b_subtilis": "bacillus",
    "c_elegans": "caenorhabditis",
    "d_melanogaster": "drosophila",
    "e_coli": "escherichia",
    "g_gallus": "gallus",
    "h_sapiens": "homo",
    "m_musculus": "mus",
    "m_musculus_domesticus": "mus",
    "s_cerevisiae": "saccharomyces",
}
"""Of the tables' species: a name that spells out another genus means another species."""
_COMMON_NAMES = {
    "human": "h_sapiens",
    "mouse": "m_musculus",
    "chicken": "g_gallus",
    "fly": "d_melanogaster",
    "worm": "c_elegans",
    "yeast": "s_cerevisiae",
}


def find_usage_table(organism: str) -> str | None:
    """The full name of the table meant by `h_sapiens`, `Homo sapiens`, `H. sapiens`, `human` or `9606`.

    A genus is its first letter or the whole word: `Entamoeba coli` is no `E. coli`.
    """
    text = organism.strip().lower()
    genus, *others = re.split(r"[\s_.]+", text)
    species = _COMMON_NAMES.get(text, "_".join([genus[:1], *others]))
    for name in USAGE_TABLES:
        of_species, _, taxon = name.rpartition("_")
        if text in (name, taxon):
            return name
        if species == of_species and (text in _COMMON_NAMES or genus in (species[:1], _GENERA.get(species))):
            return name
    return None


def usage_table(organism: str) -> str:
    """The full name of an organism's table, by any name that `find_usage_table` knows.

    Raises:
        UserError: there is none; the tables are named.
    """
    if (name := find_usage_table(organism)) is None:
        raise UserError(
            f"no codon usage table for organism {organism!r}",
            remedy=f"Give a species such as 'Homo sapiens', or one of {', '.join(USAGE_TABLES)}",
        )
    return name


def shares_in_table(organism: str) -> dict[str, dict[str, float]]:
    """By residue the share of each of its codons, as the table rounds them.

    Raises:
        UserError: as for `usage_table`.
    """
    return python_codon_tables.get_codons_table(usage_table(organism))  # pyright: ignore
