"""Loading a model of any family by the `family` its config.json names."""

from pathlib import Path

from lifecode.errors import UserError
from lifecode.model.life_code import LifeCode
from lifecode.model.pretrained import read_config

FAMILIES = {LifeCode.family: LifeCode}


def load(path: str | Path) -> LifeCode:
    """The model saved in a folder, of whichever family it is, in evaluation mode.

    Raises:
        UserError: no model there, a checksum that does not match, or an unknown family.
    """
    family = read_config(Path(path)).get("family")
    if family not in FAMILIES:
        raise UserError(
            f"unknown model family {family!r}", source=path, remedy=f"Known families: {', '.join(FAMILIES)}"
        )
    return FAMILIES[family].from_pretrained(path)
