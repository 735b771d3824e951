"""Proteins with everything that is known of them, and the rows that they become."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from lifecode.datasets.luca_one.records.label_source import ProteinLabels, Span
from lifecode.datasets.luca_one.records.left_out import LeftOut
from lifecode.datasets.luca_one.records.swissprot import Protein
from lifecode.datasets.luca_one.rows import LucaOneRow

Sites = Literal["interpro", "swissprot", "both"]


@dataclass(frozen=True, slots=True, eq=False)
class LabelledProtein:
    """A protein with its labels.

    Attributes:
        protein: as its record has it.
        order: taxonomic order of its organism, or None.
        interpro: spans by task, in the order in which they are to be read.
        coordinates: (num_residues, 3) of the C-alpha atoms, NaN where unknown; None without a structure.
        sourced: what further sources say, each over what stands before it.
    """

    protein: Protein
    order: str | None = None
    interpro: Mapping[str, Sequence[Span]] = field(default_factory=dict)
    coordinates: NDArray[np.float32] | None = None
    sourced: Sequence[ProteinLabels] = ()

    def row(self, max_letters: int, sites: Sites) -> LucaOneRow:
        """The row: the first residues of a longer protein, and of its spans what lies there."""
        protein = self.protein
        spans = {task: list(found) for task, found in self.interpro.items()}
        if sites == "swissprot":
            spans.pop("prot_site", None)
        if sites != "interpro" and protein.sites:  # later, so that single residues stand out
            spans["prot_site"] = [*spans.get("prot_site", []), *protein.sites]
        for source in self.sourced:
            for task, found in source.spans.items():
                spans[task] = [*spans.get(task, []), *found]
        within = {task: _clipped(found, max_letters) for task, found in spans.items()}
        labels: dict[str, str | tuple[str, ...]] = {}
        if self.order is not None:
            labels["prot_taxonomy"] = self.order
        if protein.keywords:
            labels["prot_keyword"] = protein.keywords
        for source in self.sourced:
            labels |= source.labels
        return LucaOneRow(
            id=protein.id,
            molecule="protein",
            sequence=protein.sequence[:max_letters],
            spans={task: found for task, found in within.items() if found},
            labels=labels,
            coordinates=self._coordinates(max_letters),
        )

    def tell_of_truncation(self, max_letters: int, left_out: LeftOut) -> None:
        """List a protein that is longer than a row."""
        if (length := len(self.protein.sequence)) > max_letters:
            left_out.add(self.protein.id, "residues_behind_the_first", f"{length - max_letters} of {length}")

    def _coordinates(self, max_letters: int) -> NDArray[np.float32] | None:
        """Those of the row; None where none of them is known."""
        if self.coordinates is None or np.isnan(self.coordinates[:max_letters]).all():
            return None
        return self.coordinates[:max_letters]


def _clipped(spans: Sequence[Span], length: int) -> list[Span]:
    return [(first, min(last, length - 1), label) for first, last, label in spans if first < length]
