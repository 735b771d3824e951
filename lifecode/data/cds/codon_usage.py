"""Codon usage: how often each of the synonymous codons of a residue is taken, and how far two usages differ.

Usage is an array of 64 in the order of `alphabet.CODONS`. Kazusa's tables come from `python_codon_tables`,
which rounds every share to two decimals.
"""

from collections import defaultdict
from collections.abc import Mapping
from functools import cache

import numpy as np
from numpy.typing import NDArray

from lifecode.alphabet import CODONS, NUCLEOTIDES, NUM_AMINO_ACIDS, NUM_CODONS, codon_ids
from lifecode.genetic_code import genetic_code
from lifecode.usage_tables import shares_in_table

FIGURE_6_ORGANISMS = {
    "E. coli": "e_coli_316407",
    "S. cerevisiae": "s_cerevisiae_4932",
    "D. melanogaster": "d_melanogaster_7227",
    "H. sapiens": "h_sapiens_9606",
}
"""The four species of Life-Code's Figure 6 and their Kazusa tables; that of E. coli is of K-12 W3110."""

GC_OF_NUCLEOTIDE = np.array([letter in "GC" for letter in NUCLEOTIDES])


def codon_usage(nucleotides: NDArray[np.uint8]) -> NDArray[np.int64]:
    """How often each codon occurs (64,) in coding sequence ids (3 x num_codons,), which may be joined CDS.

    Codons with an ambiguous nucleotide are not counted.
    """
    codons = codon_ids(nucleotides)
    return np.bincount(codons[codons >= 0], minlength=NUM_CODONS)


def relative_usage(counts: NDArray[np.integer], genetic_code_number: int = 1) -> NDArray[np.float64]:
    """Share of each codon (64,) among the codons of its residue, stops being one; NaN without any of them.

    Args:
        counts: (64,) as from `codon_usage`.
        genetic_code_number: NCBI `transl_table` that says which codons are synonymous.

    Raises:
        UserError: unknown genetic code.
    """
    return _shares(np.asarray(counts, dtype=np.float64), genetic_code_number)


@cache
def kazusa_usage(organism: str) -> NDArray[np.float64]:
    """Share of each codon (64,) among the codons of its residue in an organism, by the standard code.

    Args:
        organism: a species with such a table (`lifecode.usage_tables`). Its shares are scaled to add up to 1
            within each residue.

    Raises:
        UserError: there is no such table.
    """
    share_of = {
        codon: share for codons in shares_in_table(organism).values() for codon, share in codons.items()
    }
    usage = _shares(np.array([share_of[codon] for codon in CODONS]), genetic_code_number=1)
    usage.flags.writeable = False
    return usage


def usage_difference(
    first: NDArray[np.float64], second: NDArray[np.float64], genetic_code_number: int = 1
) -> float:
    """Mean absolute difference of two relative usages: 0 where they are the same.

    The mean goes over the codons of residues with more than one codon that both have; NaN without any.
    """
    residues = genetic_code(genetic_code_number).residues[:NUM_CODONS]
    has_choice = np.bincount(residues, minlength=NUM_AMINO_ACIDS)[residues] > 1
    differences = np.abs(first - second)[has_choice]
    differences = differences[~np.isnan(differences)]
    return float(differences.mean()) if len(differences) else float("nan")


def codons_by_main_code(codons: Mapping[int, NDArray[np.int64]]) -> tuple[int, NDArray[np.int64]]:
    """The counts (64,) of all codes that read every codon as the most used one does, and its number.

    Codes 1 and 11, which differ in their start codons only, are read alike.

    Args:
        codons: counts (64,) by genetic code, at least one.
    """
    alike: dict[bytes, list[int]] = defaultdict(list)
    for number in sorted(codons):
        alike[genetic_code(number).residues.tobytes()].append(number)
    numbers = max(alike.values(), key=lambda numbers: sum(int(codons[number].sum()) for number in numbers))
    return numbers[0], np.sum([codons[number] for number in numbers], axis=0)


def gc3_content(counts: NDArray[np.integer]) -> float:
    """Fraction of G and C in the third positions of counted codons (64,), stops included; NaN without any."""
    of_third = counts.reshape(16, 4).sum(axis=0)
    return float(of_third @ GC_OF_NUCLEOTIDE / of_third.sum()) if of_third.any() else float("nan")


def _shares(values: NDArray[np.float64], genetic_code_number: int) -> NDArray[np.float64]:
    residues = genetic_code(genetic_code_number).residues[:NUM_CODONS]
    totals = np.bincount(residues, weights=values, minlength=NUM_AMINO_ACIDS)[residues]
    return np.divide(values, totals, out=np.full(NUM_CODONS, np.nan), where=totals > 0)
