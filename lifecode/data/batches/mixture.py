"""How much of each kind of sequence a training run reads."""

import math
from collections.abc import Collection, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lifecode.data.corpus.segments import SegmentTable
from lifecode.errors import UserError


@dataclass(frozen=True, slots=True)
class Mixture:
    """Weights of the kinds, by codons read; only their ratios matter.

    Attributes:
        cds: coding sequences.
        dna: windows of genomic DNA.
        rna: transcripts.
        cds_repeats: how often a pass over the coding sequences reads those of an input file, by the file's
            name; once those of a file that is not named. A small genome beside large ones is thus read more.
        temperature: evens out the input files: the coding sequences of one are read in proportion to
            codons ** (1 / temperature). 1 reads each once per pass; at 3, one with an eighth of the codons
            of the largest is read four times, some of its genes a time more or less where that is no integer.
        joined: share of the coding sequences of training that are read joined to one sequence with others of
            their input file, up to a row; a model learns so to read a gene among others of its genome.
    """

    cds: float = 0.75
    dna: float = 0.25
    rna: float = 0.0
    cds_repeats: Mapping[str, int] | None = None
    temperature: float = 1.0
    joined: float = 0.0

    def __post_init__(self) -> None:
        weights = self._weights.values()
        if not all(math.isfinite(weight) and weight >= 0 for weight in weights) or sum(weights) == 0:
            raise UserError(
                f"{self} is no mixture",
                source="data.mixture",
                remedy="No weight is below 0, and one at least is above",
            )
        if not (math.isfinite(self.temperature) and self.temperature >= 1):
            raise UserError(
                f"is {self.temperature}", source="data.mixture.temperature", remedy="Give 1 or more"
            )
        if not 0 <= self.joined <= 1:
            raise UserError(f"is {self.joined}", source="data.mixture.joined", remedy="Give a share, 0 to 1")
        for name, times in (self.cds_repeats or {}).items():
            if times < 1:
                raise UserError(
                    f"cannot be read {times} times",
                    source=f"data.mixture.cds_repeats: {name}",
                    remedy="Give 1 or more",
                )

    @property
    def _weights(self) -> dict[str, float]:
        return {"cds": self.cds, "dna": self.dna, "rna": self.rna}

    @property
    def kinds(self) -> list[str]:
        """The kinds of a weight above zero."""
        return [kind for kind, weight in self._weights.items() if weight > 0]

    def shares(self, present: Collection[str]) -> dict[str, float]:
        """Share of each kind among those that are present and have a weight; empty where there is none."""
        weights = {kind: weight for kind, weight in self._weights.items() if weight > 0 and kind in present}
        return {kind: weight / sum(weights.values()) for kind, weight in weights.items()}

    def repeats_of(self, cds: SegmentTable) -> NDArray[np.int64] | None:
        """(num_cds,) how often a pass reads each coding sequence; None where each is read once.

        Raises:
            UserError: `cds_repeats` names a file that none of them is from.
        """
        if not self.cds_repeats and self.temperature == 1:
            return None
        sources = np.array(cds.column("source"))
        known = dict.fromkeys(sources.tolist())
        for name in self.cds_repeats or {}:
            if name not in known:
                raise UserError(
                    f"no coding sequence is from {name}",
                    source="data.mixture.cds_repeats",
                    remedy=f"Name input files: {', '.join(known)}",
                )
        codons = cds.num_nucleotides // 3
        all_codons = {name: int(codons[sources == name].sum()) for name in known}
        times = np.zeros(len(sources), dtype=np.int64)
        for name in known:
            rate = (all_codons[name] / max(all_codons.values())) ** (1 / self.temperature - 1)
            own = np.flatnonzero(sources == name)
            times[own] = np.diff(np.floor(rate * np.arange(len(own) + 1)))
            times[own] *= (self.cds_repeats or {}).get(name, 1)
        return times

    def codons_of_pass(self, cds: SegmentTable) -> int:
        """Codons that one pass over coding sequences reads, each as often as `cds_repeats` says."""
        times = self.repeats_of(cds)
        codons = cds.num_nucleotides // 3
        return int(codons.sum() if times is None else (codons * times).sum())
