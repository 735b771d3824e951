"""The codon usage of a corpus against the Kazusa tables of Life-Code's Figure 6."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from lifecode.alphabet import CODONS
from lifecode.data.cds.codon_usage import (
    FIGURE_6_ORGANISMS,
    codons_by_main_code,
    kazusa_usage,
    relative_usage,
    usage_difference,
)
from lifecode.genetic_code import genetic_code
from lifecode.report.charts.codons.codon_usage_chart import RESIDUE_NAMES, synonymous_codons


class CodonComparison(NamedTuple):
    """Relative usage of the corpus and of each organism, and how far apart they are.

    Attributes:
        genetic_code_number: NCBI `transl_table` that most CDS are read by; codons are grouped by it.
        counts: (64,) codons of the CDS that it reads.
        usage: (64,) as from `relative_usage`.
        organisms: (64,) by name; empty where the code reads some codon otherwise than the tables do.
        differences: `usage_difference` from each organism; empty where no codon has a synonym.
        other_codons: number of codons of CDS that other codes read, by code.
    """

    genetic_code_number: int
    counts: NDArray[np.int64]
    usage: NDArray[np.float64]
    organisms: dict[str, NDArray[np.float64]]
    differences: dict[str, float]
    other_codons: dict[int, int]

    @property
    def genetic_code_name(self) -> str:
        """NCBI's name of the code."""
        return genetic_code(self.genetic_code_number).name

    @property
    def nearest(self) -> str | None:
        """The organism that differs least."""
        return min(self.differences, key=self.differences.__getitem__) if self.differences else None


@dataclass(frozen=True, slots=True)
class CodonRow:
    """One codon of the table: `synonyms` is 0 but for the first codon of a residue."""

    residue: str
    synonyms: int
    codon: str
    count: str
    share: str
    organism_shares: tuple[str, ...]


def compare_codon_usage(codons: Mapping[int, NDArray[np.int64]]) -> CodonComparison | None:
    """The comparison for codon counts (64,) by genetic code; None where no codon was counted."""
    codons = {number: counts for number, counts in codons.items() if counts.any()}
    if not codons:
        return None
    number, counts = codons_by_main_code(codons)
    residues = genetic_code(number).residues
    usage = relative_usage(counts, number)
    standard = np.array_equal(residues, genetic_code(1).residues)
    organisms = {name: kazusa_usage(table) for name, table in FIGURE_6_ORGANISMS.items()} if standard else {}
    differences = {name: usage_difference(usage, other, number) for name, other in organisms.items()}
    return CodonComparison(
        genetic_code_number=number,
        counts=counts,
        usage=usage,
        organisms=organisms,
        differences={name: value for name, value in differences.items() if not np.isnan(value)},
        other_codons={
            other: int(of_other.sum())
            for other, of_other in codons.items()
            if not np.array_equal(genetic_code(other).residues, residues)
        },
    )


def codon_rows(comparison: CodonComparison) -> list[CodonRow]:
    """The 64 codons, by residue; the tables' shares as whole percents, which is what they are rounded to."""
    return [
        CodonRow(
            residue=RESIDUE_NAMES[letter],
            synonyms=len(codons) if codon == codons[0] else 0,
            codon=CODONS[codon],
            count=f"{comparison.counts[codon]:,}",
            share="" if np.isnan(comparison.usage[codon]) else f"{100 * comparison.usage[codon]:.1f}",
            organism_shares=tuple(f"{100 * usage[codon]:.0f}" for usage in comparison.organisms.values()),
        )
        for letter, codons in synonymous_codons(comparison.genetic_code_number)
        for codon in codons
    ]
