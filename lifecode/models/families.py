"""Loading a model of any family by the `family` its config.json names."""

from pathlib import Path

from lifecode.errors import UserError
from lifecode.models.hub import model_folder
from lifecode.models.life_code.model import LifeCode
from lifecode.models.pretrained import read_config

FAMILIES = {LifeCode.family: LifeCode}


def load(name_or_folder: str | Path, *, revision: str | None = None) -> LifeCode:
    """The saved model, of whichever family it is, in evaluation mode.

    Args:
        name_or_folder: its folder, `lifecode-mini`, or `user/name` on the Hugging Face hub.
        revision: branch, tag or commit on the hub.

    Raises:
        UserError: no model there, a checksum that does not match, or an unknown family.
    """
    folder = model_folder(name_or_folder, revision=revision)
    family = read_config(folder).get("family")
    if not isinstance(family, str) or family not in FAMILIES:
        known = ", ".join(FAMILIES)
        raise UserError(
            f"unknown model family {family!r}", source=name_or_folder, remedy=f"Known families: {known}"
        )
    return FAMILIES[family].from_pretrained(folder)
