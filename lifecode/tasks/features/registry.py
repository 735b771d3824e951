"""Features by the name that a config or a saved head calls them."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from lifecode.errors import UserError
from lifecode.tasks.families.place import Place
from lifecode.tasks.features.at_positions import OneHotAround, PositionFeatures, StatesAtPositions
from lifecode.tasks.features.counts import (
    CodonFrequency,
    CodonPreference,
    GeneShape,
    Kmers,
    LengthAndGc,
    Residues,
)
from lifecode.tasks.features.encoder import Encoder, ModelEncoder
from lifecode.tasks.features.feature import Features
from lifecode.tasks.features.one_hot import OneHot, positions_of
from lifecode.tasks.features.reading_frames import OpenFrame, ReadingFrames
from lifecode.tasks.features.states import StateFeatures

Beside = Literal[
    "codon_frequency",
    "codon_preference",
    "residues",
    "gene_shape",
    "start",
    "codon_one_hot",
    "reading_frames",
]
"""Features of a sequence alone that a probe may take beside the states."""
_START_CODONS = 10
_BY_NAME: dict[str, Callable[..., Features]] = {
    "length_gc": LengthAndGc,
    "kmers": Kmers,
    "codon_frequency": CodonFrequency,
    "codon_preference": CodonPreference,
    "residues": Residues,
    "gene_shape": GeneShape,
    "open_frame": OpenFrame,
    "reading_frames": ReadingFrames,
    "one_hot": OneHot,
}


def beside(name: Beside, sequences: Sequence[NDArray[np.uint8]]) -> Features:
    """Features of a sequence alone.

    Args:
        name: `start` is a one-hot of the first ten codons, `codon_one_hot` of as many as the longest of
            `sequences` has, up to 256.
        sequences: that are learnt from.
    """
    if name in ("start", "codon_one_hot"):
        return OneHot("codon", _START_CODONS if name == "start" else positions_of(sequences, "codon"))
    return _BY_NAME[name]()


def features_from(config: Mapping[str, Any], encoder: Encoder | None) -> Features:
    """The features that their `config` describes.

    Raises:
        UserError: it describes none of this version.
    """
    values = dict(config)
    name = values.pop("features", None)
    try:
        if name == "states" and encoder is not None:
            place, pools = Place(**values.pop("place")), tuple(values.pop("pools"))
            return StateFeatures(encoder=encoder, place=place, pools=pools, **values)
        return _BY_NAME[str(name)](**values)
    except (KeyError, TypeError) as fault:
        raise UserError(
            f"describes features that this version does not have ({name!r})",
            remedy="It was written by another version: pip install --upgrade lifecode",
        ) from fault


def position_features_from(config: Mapping[str, Any], encoder: ModelEncoder) -> PositionFeatures:
    """The features of positions that their `config` describes.

    Raises:
        UserError: it describes none of this version.
    """
    values = dict(config)
    try:
        if values.pop("features") == "states_at_positions":
            return StatesAtPositions(encoder=encoder, place=Place(**values.pop("place")), **values)
        return OneHotAround(**values)
    except (KeyError, TypeError) as fault:
        raise UserError(
            "describes features of positions that this version does not have",
            remedy="It was written by another version: pip install --upgrade lifecode",
        ) from fault
