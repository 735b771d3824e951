"""A model of pairs that a probe made: features of both sides, how they are joined, and a head on them."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lifecode.models.saved import SavedModel
from lifecode.tasks.examples.labels import Labels
from lifecode.tasks.examples.molecule import Molecule
from lifecode.tasks.features.feature import Features
from lifecode.tasks.heads.head import FittedHead
from lifecode.tasks.pairs.pair_examples import given_pairs
from lifecode.tasks.pairs.pair_head import PairHead
from lifecode.tasks.pairs.side import SideKind


@dataclass(frozen=True, slots=True, kw_only=True)
class TunedPairs:
    """As `lifecode.tasks.tuned_model.TunedModel`, of pairs.

    Attributes:
        labels: kind and classes.
        kinds: of the first and the second side.
        pair: how they are joined.
        features: what reads sequences, by molecule.
        head: fitted.
        model: the encoder.
        told: what it was tuned on, for people.
    """

    labels: Labels
    kinds: tuple[SideKind, SideKind]
    pair: PairHead
    features: Mapping[Molecule, Features]
    head: FittedHead
    model: SavedModel
    told: dict[str, Any] = field(default_factory=dict)

    def predict(self, pairs: Any) -> NDArray[np.float64]:
        """Values (n,) of a regression, or the probability of each of `labels.classes` (n, num_classes).

        Args:
            pairs: `PairExamples`, or `(first, second)` letters of each.

        Raises:
            UserError: no pair, or letters that are not of the kind of their side.
        """
        examples = given_pairs(pairs, self.kinds)
        return self.head.predict(self.pair.joined(examples, lambda molecule: self.features[molecule]))

    def described(self) -> dict[str, Any]:
        """All but labels, encoder and head."""
        return {
            "sides": list(self.kinds),
            "pair": asdict(self.pair),
            "features": {molecule: features.config for molecule, features in self.features.items()},
        }
