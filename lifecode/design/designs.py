"""The result of a design: sequences, and a table of what is said of each."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from lifecode.design.designing import CodingDesign, designs_of
from lifecode.design.host import HostUsage
from lifecode.design.measures import (
    codon_adaptation_index,
    codon_pair_score,
    codons_changed,
    gc_share,
    min_max,
)
from lifecode.design.sites import count_sites
from lifecode.design.synonyms import has_alternative_start, with_ordinary_start

if TYPE_CHECKING:
    from pandas import DataFrame


@dataclass(frozen=True, slots=True, eq=False)
class Designs:
    """Coding sequences that were designed, beside what they are compared with.

    Attributes:
        sequences: of each protein the designs, best codons, matched usage and the wild type, if there is one.
        host: whose usage they are judged by.
        proteins: letters by name, with the stop that was asked for.
        sites: that were forbidden.
        page: the report that was written, or None.
    """

    sequences: Sequence[CodingDesign]
    host: HostUsage
    proteins: dict[str, str]
    sites: Sequence[str] = ()
    page: Path | None = None

    @property
    def dna(self) -> dict[str, str]:
        """The nucleotides of the designs alone, by id."""
        return {one.id: one.dna for one in designs_of(self.sequences)}

    def of(self, protein: str) -> list[CodingDesign]:
        """The sequences of one protein.

        Args:
            protein: its name.
        """
        return [one for one in self.sequences if one.protein == protein]

    def min_max_profile(self, one: CodingDesign) -> NDArray[np.float64]:
        """%MinMax (L - 17,) along a sequence; an alternative start codon counts as the M that it spells.

        Args:
            one: of these sequences.
        """
        code = self.host.genetic_code
        return min_max(with_ordinary_start(one.codons, self.proteins[one.protein], code), self.host)

    def rows(self) -> list[dict[str, Any]]:
        """What is said of each sequence, as in the table that is written; None where nothing can be said."""
        wild = {one.protein: one for one in self.sequences if one.kind == "wild_type"}
        return [self._row(one, wild.get(one.protein)) for one in self.sequences]

    @property
    def frame(self) -> "DataFrame":
        """The same as a pandas frame, with the nucleotides of each sequence."""
        from pandas import DataFrame

        rows = [{**row, "sequence": one.dna} for row, one in zip(self.rows(), self.sequences, strict=True)]
        return DataFrame(rows)

    def _row(self, one: CodingDesign, wild: CodingDesign | None) -> dict[str, Any]:
        protein, code = self.proteins[one.protein], self.host.genetic_code
        profile = self.min_max_profile(one)
        own = one.codons[1:] if has_alternative_start(one.codons, protein, code) else one.codons
        adaptation = codon_adaptation_index(own, self.host)
        return {
            "id": one.id,
            "protein": one.protein,
            "kind": one.kind,
            "num_codons": len(one.codons),
            "score": one.score,
            "log_likelihood_per_codon": one.log_likelihood,
            "cai": None if np.isnan(adaptation) else adaptation,
            "min_max_mean": float(profile.mean()) if len(profile) else None,
            "min_max_lowest": float(profile.min()) if len(profile) else None,
            "gc": gc_share(one.codons),
            "codon_pair_score": codon_pair_score(with_ordinary_start(one.codons, protein, code), self.host),
            "forbidden_sites": count_sites(one.dna, self.sites),
            "changed_by_constraints": one.changed_by_constraints,
            "codons_unlike_wild_type": None if wild is None else codons_changed(one.codons, wild.codons),
        }
