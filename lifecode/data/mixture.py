"""How much of each kind of sequence a training run reads."""

import math
from collections.abc import Collection
from dataclasses import asdict, dataclass

from lifecode.errors import UserError


@dataclass(frozen=True, slots=True)
class Mixture:
    """Weights of the kinds, by codons read; only their ratios matter.

    Attributes:
        cds: coding sequences.
        dna: windows of genomic DNA.
        rna: transcripts.
    """

    cds: float = 0.75
    dna: float = 0.25
    rna: float = 0.0

    def __post_init__(self) -> None:
        weights = asdict(self).values()
        if not all(math.isfinite(weight) and weight >= 0 for weight in weights) or sum(weights) == 0:
            raise UserError(
                f"{self} is no mixture",
                source="data.mixture",
                remedy="No weight is below 0, and one at least is above",
            )

    @property
    def kinds(self) -> list[str]:
        """The kinds of a weight above zero."""
        return [kind for kind, weight in asdict(self).items() if weight > 0]

    def shares(self, present: Collection[str]) -> dict[str, float]:
        """Share of each kind among those that are present and have a weight; empty where there is none."""
        weights = {kind: weight for kind, weight in asdict(self).items() if weight > 0 and kind in present}
        return {kind: weight / sum(weights.values()) for kind, weight in weights.items()}
