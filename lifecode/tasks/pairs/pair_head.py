"""What a head of pairs learns from: the states of both sides, joined, and what stands beside them."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from lifecode.errors import UserError
from lifecode.tasks.examples.labels import LabelKind
from lifecode.tasks.examples.molecule import Molecule
from lifecode.tasks.features.feature import Features
from lifecode.tasks.heads.head import Head
from lifecode.tasks.heads.registry import linear_head
from lifecode.tasks.pairs.boosting import BoostingHead
from lifecode.tasks.pairs.composition import composition, lengths
from lifecode.tasks.pairs.pair_examples import PairExamples
from lifecode.tasks.probe import Probe

Join = Literal["product", "difference", "cross"]
PairBeside = Literal["composition", "lengths"]


@dataclass(frozen=True, slots=True, kw_only=True)
class PairHead:
    """A head on pairs.

    Args:
        joins: beside the states of both sides one behind the other: `product` of the features that both have,
            absolute `difference` of these, and, of heads that are trained by gradient, `cross`: each position
            of a side beside what it attends to on the other.
        beside: features of the letters that the head gets too: `composition` (triads of proteins, 4-mers of
            nucleotides), `lengths`.
        head: `linear` is a ridge or logistic regression, `boosting` gradient boosting.
    """

    joins: list[Join] = field(default_factory=lambda: ["product", "difference"])
    beside: list[PairBeside] = field(default_factory=list)
    head: Literal["linear", "boosting"] = "linear"

    def head_for(self, kind: LabelKind) -> Head:
        """An unfitted head."""
        return BoostingHead(kind == "regression") if self.head == "boosting" else linear_head(kind)

    def joined(
        self, examples: PairExamples, states: Callable[[Molecule], Features]
    ) -> list[NDArray[np.float32]]:
        """Blocks of features of each pair, those of the letters last.

        Args:
            examples: pairs.
            states: what reads sequences of a molecule.
        """
        first, second = (
            states(side.molecule)(side.sequences())[side.rows] for side in (examples.first, examples.second)
        )
        width = min(first.shape[1], second.shape[1])
        a, b = first[:, :width], second[:, :width]
        blocks = [first, second]
        blocks += [a * b] if "product" in self.joins else []
        blocks += [np.abs(a - b)] if "difference" in self.joins else []
        return blocks + self.others(examples)

    def others(self, examples: PairExamples) -> list[NDArray[np.float32]]:
        """Those of the letters."""
        found = [lengths(examples)] if "lengths" in self.beside else []
        if "composition" in self.beside:
            found += [composition(examples.first), composition(examples.second)]
        return found


def require_for_probe(probe: Probe, pair: PairHead) -> None:
    """Raises a `UserError` where a probe has what is of single sequences or is learnt by gradient."""
    for name, is_set in (("beside", bool(probe.beside)), ("head", probe.head != "linear")):
        if is_set:
            raise UserError("is of single sequences", source=f"probe.{name}", remedy=f"Give pair.{name}=...")
    if "cross" in pair.joins:
        raise UserError(
            "has cross, which is learnt by gradient",
            source="pair.joins",
            remedy="Say tuning=head, lora or full",
        )


def require_for_gradient(pair: PairHead) -> None:
    """Raises a `UserError` where a head on pairs has what a gradient does not reach."""
    for name, is_set in (("beside", bool(pair.beside)), ("head", pair.head != "linear")):
        if is_set:
            raise UserError(
                "is of tuning=probe", source=f"pair.{name}", remedy="Leave it out, or say tuning=probe"
            )
