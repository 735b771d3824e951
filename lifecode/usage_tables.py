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
"""Of the tables: another genus may have the letter and the species, as *Cunninghamella elegans* has."""
_COMMON_NAMES = {
    "human": "h_sapiens",
    "mouse": "m_musculus",
    "house mouse": "m_musculus",
    "chicken": "g_gallus",
    "fly": "d_melanogaster",
    "fruit fly": "d_melanogaster",
    "drosophila": "d_melanogaster",
    "worm": "c_elegans",
    "yeast": "s_cerevisiae",
    "baker's yeast": "s_cerevisiae",
    "budding yeast": "s_cerevisiae",
    "ecoli": "e_coli",
}
_TAXA = {
    "562": "e_coli",
    "83333": "e_coli",  # K-12
    "511145": "e_coli",  # K-12 MG1655
    "316385": "e_coli",  # K-12 DH10B
    "469008": "e_coli",  # BL21(DE3)
    "224308": "b_subtilis",  # 168
    "559292": "s_cerevisiae",  # S288C
}
"""NCBI taxa of species and strains beside those that the tables are named by."""
_TAXON = re.compile(r"(?:(?:ncbi)?tax(?:on|id|onomy)?|txid)[\s:_=]*(\d+)")
_OTHER_GENES = re.compile(r"(bacterio)?phages?|virus|plasmid|x|mitochondri(on|a|al)|chloroplast|plastid")
"""Words behind a species that make its genes those of another."""


def find_usage_table(organism: str) -> str | None:
    """The full name of the table meant by `h_sapiens`, `Homo sapiens`, `H. sapiens`, `human` or `9606`.

    Strains have the table of their species: `Escherichia coli K-12`, `511145`.
    """
    text = organism.strip().lower().replace("\N{RIGHT SINGLE QUOTATION MARK}", "'")
    if (taxon := _TAXON.fullmatch(text)) is not None:
        text = taxon[1]
    for name in USAGE_TABLES:
        if text in (name, name.rpartition("_")[2]):
            return name
    species = _COMMON_NAMES.get(text) or _TAXA.get(text) or _species_of(text)
    return next((name for name in USAGE_TABLES if name.rpartition("_")[0] == species), None)


def _species_of(text: str) -> str | None:
    """That of a table whose genus, or its first letter, and species the words begin with; the longest.

    A dot or a slash within a word makes it the name of a file.
    """
    genus, *others = re.split(r"[\s_]+", re.sub(r"^([a-z])\.\s*", r"\1 ", text))
    if any(map(_OTHER_GENES.fullmatch, others)) or any(re.search(r"/|\.\S", word) for word in others):
        return None
    fitting = [
        species
        for species, own in _GENERA.items()
        if genus in (own, own[0]) and others[: species.count("_")] == species.split("_")[1:]
    ]
    return max(fitting, key=len, default=None)


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
