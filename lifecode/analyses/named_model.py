"""A model under its name in tables, with the vectors that it makes of sequences."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from lifecode.models.saved import SavedModel
from lifecode.tasks.competitors.competitor import untrained_twin
from lifecode.tasks.examples.molecule import Molecule
from lifecode.tasks.families.registry import reading_of
from lifecode.tasks.features.encoder import ModelEncoder
from lifecode.tasks.names_in_tables import UNTRAINED
from lifecode.tasks.probe import Probe


class NamedModel(NamedTuple):
    """A model of any family.

    Attributes:
        name: in tables.
        model: trained or not.
    """

    name: str
    model: SavedModel

    def vectors(self, sequences: Sequence[NDArray[np.uint8]], molecule: Molecule) -> NDArray[np.float32]:
        """(n, D) the mean state of each sequence, as a probe of tasks reads it by default."""
        return Probe().states(ModelEncoder(self.model, molecule), self.name, molecule)(sequences)


def with_twins(models: Sequence[NamedModel], seed: int) -> list[NamedModel]:
    """Each model followed by one of its shape with new weights."""
    found = []
    for one in models:
        found += [one, NamedModel(f"{UNTRAINED} {one.name}", untrained_twin(one.model, seed))]
    return found


def notes_on_reading(
    models: Sequence[NamedModel], sequences: Sequence[NDArray[np.uint8]], molecule: Molecule
) -> list[str]:
    """How models read sequences, each line once: long ones in windows, proteins as codons."""
    readings = [reading_of(one.model, molecule) for one in models]
    return list(dict.fromkeys(note for own in readings for note in own.notes(sequences)))
