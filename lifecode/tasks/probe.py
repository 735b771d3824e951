"""`tuning=probe`: which states of a frozen encoder a head learns from, and what stands beside them."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from lifecode.errors import UserError
from lifecode.host.checksum import digest_of
from lifecode.tasks.examples.labels import LabelKind
from lifecode.tasks.examples.molecule import Molecule
from lifecode.tasks.families.place import FrameReading, Place
from lifecode.tasks.features.cache import CachedFeatures
from lifecode.tasks.features.encoder import Encoder
from lifecode.tasks.features.feature import Features
from lifecode.tasks.features.registry import Beside, beside
from lifecode.tasks.features.states import StateFeatures, StatePool
from lifecode.tasks.heads.head import Head
from lifecode.tasks.heads.registry import HeadName, head_for


@dataclass(frozen=True, slots=True, kw_only=True)
class Probe:
    """A head on frozen states.

    Args:
        pools: what is made of a sequence's states, one behind the other: `mean`, `max`, `cls`, `last`,
            `centre`, `positions`. None takes `mean`, or for labels of positions the state of the position,
            where `centre` takes the `window` states around it.
        frames: of a model of codons 0, 1 or 2 nucleotides before the first codon, `average` or `stack`
            (mean, maximum, minimum) of all three; None takes 0 for what is in frame and `stack` for others.
        layer: states behind so many layers; None for all.
        projected: states behind the output projection, as `embed` gives them; False takes those before it,
            all that a model without one has.
        window: positions of `centre` and `positions`.
        max_codons: of each sequence so many, or residues, are read, from the first on; None reads all.
        beside: features of the sequence alone that the head gets too.
        head: `linear` is a ridge or logistic regression on everything; `stack`, of a regression, joins a
            linear and a kernel ridge on each of the features by weights chosen inside the training examples,
            `stack_and_trees` a forest on all of them too.
        max_positions: of labels of positions so many are learnt from, drawn by the seed; all are predicted.
        cache: folder that keeps what an encoder has read; None keeps nothing.
    """

    pools: list[StatePool] | None = None
    frames: FrameReading | None = None
    layer: int | None = None
    projected: bool = False
    window: int = 8
    max_codons: int | None = None
    beside: list[Beside] = field(default_factory=list)
    head: HeadName = "linear"
    max_positions: int = 20_000
    cache: str | None = None

    def __post_init__(self) -> None:
        if self.pools is not None and not self.pools:
            raise UserError("names no pooling", source="probe.pools", remedy="Give [mean], say")
        for name in ("window", "max_codons", "max_positions"):
            value = getattr(self, name)
            if value is not None and value < 1:
                raise UserError("is not positive", source=f"probe.{name}")

    def states(
        self,
        encoder: Encoder,
        label: str,
        molecule: Molecule,
        on_progress: Callable[[int, int], None] = lambda *_: None,
    ) -> Features:
        """The states of an encoder that is called `label` in tables."""
        features = StateFeatures(
            encoder=encoder,
            label=label,
            pools=tuple(self.pools or ["mean"]),
            frames=encoder.frames(self.frames),
            place=Place(self.layer, self.projected),
            window=self.window,
            max_codons=self.max_codons,
            molecule=molecule,
        )
        if self.cache is None:
            return features
        key = digest_of({"encoder": encoder.digest} | features.config | {"label": None})
        return CachedFeatures(features, Path(self.cache).expanduser() / key, on_progress)

    def others(self, sequences: Sequence[NDArray[np.uint8]], molecule: Molecule) -> list[Features]:
        """The features beside the states, of as many positions as the training `sequences` have.

        Raises:
            UserError: features of codons, and the sequences are proteins.
        """
        if self.beside and molecule == "protein":
            raise UserError("is of codons, and the sequences are proteins", source="probe.beside")
        return [beside(name, sequences) for name in self.beside]

    def head_for(self, kind: LabelKind) -> Head:
        """An unfitted head for labels of this kind.

        Raises:
            UserError: a stack for classes.
        """
        return head_for(self.head, kind)
