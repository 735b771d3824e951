"""Which reading each family of models has; a family that is not here has no tasks."""

from collections.abc import Callable, Mapping
from typing import Any

from lifecode.errors import UserError
from lifecode.models.life_code.model import LifeCode
from lifecode.models.luca_one.model import LucaOne
from lifecode.models.saved import SavedModel
from lifecode.tasks.examples.molecule import Molecule
from lifecode.tasks.families.family_reading import FamilyReading
from lifecode.tasks.families.life_code import LifeCodeReading
from lifecode.tasks.families.luca_one import LucaOneReading

_READINGS: Mapping[str, Callable[[Any, Molecule], FamilyReading]] = {
    LifeCode.family: lambda model, molecule: LifeCodeReading(molecule),
    LucaOne.family: lambda model, molecule: LucaOneReading(molecule, model.max_letters),
}


def reading_of(model: SavedModel, molecule: Molecule) -> FamilyReading:
    """How a model reads sequences of a molecule.

    Raises:
        UserError: a family without tasks.
    """
    if model.family not in _READINGS:
        raise UserError(
            f"a model of family {model.family} has no tasks",
            source="model",
            remedy=f"Choose one of {', '.join(_READINGS)}",
        )
    return _READINGS[model.family](model, molecule)
