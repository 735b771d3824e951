"""How a model reads long sequences is said once for each molecule."""

import logging
from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from lifecode.tasks.examples.molecule import Molecule, first_codons
from lifecode.tasks.examples.table import Table
from lifecode.tasks.families.registry import reading_of
from lifecode.tasks.features.states import StateFeatures
from lifecode.tasks.tuned_model import Tuned
from lifecode.tasks.tuned_pairs import TunedPairs
from lifecode.tasks.tuning.tuned_network import TunedNetwork

logger = logging.getLogger(__name__)


def teller(model: Tuned) -> Callable[[Table, Molecule, Sequence[NDArray[np.uint8]]], None]:
    """Says of each molecule once how its sequences are read, such as long ones in windows, where need be."""
    told: set[Molecule] = set()

    def tell(table: Table, molecule: Molecule, sequences: Sequence[NDArray[np.uint8]]) -> None:
        if molecule in told:
            return
        read = [first_codons(ids, _most_codons(model), molecule) for ids in sequences]
        for note in reading_of(model.model, molecule).notes(read):
            told.add(molecule)
            logger.warning("%s, up to row %s: %s", table.source, f"{table.rows[-1]:,}", note)

    return tell


def _most_codons(model: Tuned) -> int | None:
    """Of each sequence a model reads so many codons, or residues; None for all."""
    if isinstance(model, TunedNetwork):
        return model.settings.max_codons
    features = model.features.values() if isinstance(model, TunedPairs) else model.features
    return next((each.max_codons for each in features if isinstance(each, StateFeatures)), None)
