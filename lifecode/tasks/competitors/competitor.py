"""A frozen model that takes part, and one row of a table: whose predictions depend on what."""

from collections.abc import Callable, Sequence
from typing import Any, Literal, NamedTuple, Protocol

import numpy as np
import torch
from numpy.typing import NDArray

from lifecode.models.saved import SavedModel
from lifecode.tasks.examples.molecule import Molecule
from lifecode.tasks.families.registry import reading_of
from lifecode.tasks.features.encoder import ModelEncoder
from lifecode.tasks.features.feature import Features
from lifecode.tasks.names_in_tables import UNTRAINED
from lifecode.tasks.probe import Probe

Say = Callable[[str], None]
Predictions = list[NDArray[Any]]
Role = Literal["model", "baseline"]


class Reader(Protocol):
    """A frozen model under evaluation."""

    @property
    def name(self) -> str:
        """In tables."""
        ...

    @property
    def digest(self) -> str:
        """Of its weights and of how it reads."""
        ...

    @property
    def training_genes(self) -> NDArray[np.uint32] | None:
        """Sketches of genes it was trained on, if known."""
        ...

    def reads(self, molecule: Molecule) -> bool:
        """Whether it can read such sequences."""
        ...

    def untrained(self, seed: int) -> "Reader | None":
        """The same model with new weights; None where it has none to give."""
        ...

    def states(self, probe: Probe, molecule: Molecule, told: Callable[[int, int], None]) -> Features:
        """What a head reads of it."""
        ...

    def notes(self, molecule: Molecule, sequences: Sequence[NDArray[np.uint8]]) -> list[str]:
        """What a user should know of how it reads these, a line each."""
        ...


class ModelReader:
    """A model of a family, read as the probe says.

    Args:
        name: in tables.
        model: trained or not.
    """

    def __init__(self, name: str, model: SavedModel) -> None:
        self.name, self.model = name, model
        self.digest, self.training_genes = ModelEncoder(model).digest, model.training_genes

    def reads(self, molecule: Molecule) -> bool:
        """Any."""
        return True

    def untrained(self, seed: int) -> "ModelReader":
        """By this seed."""
        return ModelReader(f"{UNTRAINED} {self.name}", untrained_twin(self.model, seed))

    def states(self, probe: Probe, molecule: Molecule, told: Callable[[int, int], None]) -> Features:
        """As `Probe.states`."""
        return probe.states(ModelEncoder(self.model, molecule), self.name, molecule, told)

    def notes(self, molecule: Molecule, sequences: Sequence[NDArray[np.uint8]]) -> list[str]:
        """As `FamilyReading.notes`."""
        return reading_of(self.model, molecule).notes(sequences)


class Competitor(NamedTuple):
    """One row of the table of a set.

    Attributes:
        name: of the row.
        role: whether it is asked about or stands beside.
        digest: of all that its predictions depend on beside the examples.
        predictions: for each round.
    """

    name: str
    role: Role
    digest: str
    predictions: Callable[[], Predictions]


def untrained_twin(model: SavedModel, seed: int) -> SavedModel:
    """A model of the same shape with new weights, by this seed; torch's own random state stays."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return type(model).from_config(model.config).eval()
