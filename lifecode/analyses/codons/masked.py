"""Which function reads the masked codons of each family of models."""

from collections.abc import Mapping
from functools import partial
from typing import Any

from lifecode.analyses.codons import luca_one
from lifecode.design import masked_codons
from lifecode.design.masked_codons import ReadMasked
from lifecode.errors import UserError
from lifecode.models.life_code.evaluation_mode import in_evaluation
from lifecode.models.life_code.model import LifeCode
from lifecode.models.luca_one.model import LucaOne
from lifecode.models.saved import SavedModel

READERS: Mapping[str, Any] = {
    LifeCode.family: masked_codons.masked_log_probabilities,
    LucaOne.family: luca_one.masked_log_probabilities,
}


def reader_of(model: SavedModel) -> ReadMasked:
    """What reads the masked codons of a model.

    Raises:
        UserError: a family that fills in no codons.
    """
    if model.family not in READERS:
        raise UserError(f"a model of family {model.family} fills in no codons", source="model")
    return partial(READERS[model.family], in_evaluation(model))
