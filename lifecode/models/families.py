"""The families of models: which class each has, and what a model of it consists of."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from lifecode.errors import UserError
from lifecode.models.hub import HUB_ID, MODEL_FILES, model_folder
from lifecode.models.layers.cost import Part
from lifecode.models.layers.mixers import mixers_of
from lifecode.models.life_code.model import LifeCode
from lifecode.models.luca_one.model import LucaOne
from lifecode.models.luca_one.parts import luca_one_parts
from lifecode.models.masked_reading import MaskedModel
from lifecode.models.parts import model_parts
from lifecode.models.pretrained import read_config
from lifecode.models.saved import SavedModel
from lifecode.models.transformers_masked import (
    TOKENIZER_FILES,
    is_masked_language_model,
    load_masked_language_model,
)


class _Family(NamedTuple):
    """A family of models.

    Attributes:
        model: its class.
        parts: of a model, which add up to it.
        shape: of a model, in lines for people.
    """

    model: type[SavedModel]
    parts: Callable[[Any], Sequence[Part]]
    shape: Callable[[Any], Sequence[str]]


def _shape_of_life_code(model: LifeCode) -> list[str]:
    shape = model.config
    return [
        f"{shape['depth']} layers of width {shape['width']} ({mixers_of(model.encoder) or 'none'}), "
        f"strands {shape['strands']}",
        f"codon embedding of width {model.codec.codon_dim}",
    ]


def _shape_of_luca_one(model: LucaOne) -> list[str]:
    shape = model.config
    heads = ", ".join(f"{task} {head['classes']:,}" for task, head in shape["heads"].items())
    return [
        f"{shape['depth']} layers of width {shape['width']} ({mixers_of(model.encoder) or 'none'}), "
        f"{shape['num_heads']} heads of attention",
        f"reads {model.max_letters:,} letters of a nucleic acid or protein at once",
        f"classes of task heads: {heads or 'none'}",
    ]


FAMILIES = {
    LifeCode.family: _Family(LifeCode, model_parts, _shape_of_life_code),
    LucaOne.family: _Family(LucaOne, luca_one_parts, _shape_of_luca_one),
}


def require_life_code(model: Any) -> LifeCode:
    """The model, where only one of codons will do.

    Raises:
        UserError: it is of another family.
    """
    if isinstance(model, SavedModel) and not isinstance(model, LifeCode):
        raise UserError(
            f"a model of family {model.family} cannot be used here, where codons are read",
            source="model",
            remedy=f"Choose one of family {LifeCode.family}, such as tiny or lifecode-mini",
        )
    return model


def load(name_or_folder: str | Path, *, revision: str | None = None) -> Any:
    """The saved model, of whichever family it is, in evaluation mode.

    Args:
        name_or_folder: its folder, `lifecode-mini`, or `user/name` on the Hugging Face hub; or the file or
            folder of another program's checkpoint that a family reads (docs/lucaone.md).
        revision: branch, tag or commit on the hub.

    Raises:
        UserError: no model there, a checksum that does not match, an unknown family, or weights that are
            damaged or not those of such a model.
    """
    if (model := _foreign(Path(name_or_folder).expanduser())) is not None:
        return model
    folder = model_folder(name_or_folder, revision=revision)
    if (model := _foreign(folder)) is not None:
        return model
    family = read_config(folder).get("family")
    if not isinstance(family, str) or family not in FAMILIES:
        known = ", ".join(FAMILIES)
        raise UserError(
            f"unknown model family {family!r}", source=name_or_folder, remedy=f"Known families: {known}"
        )
    return FAMILIES[family].model.from_pretrained(folder)


def load_masked(name_or_folder: str | Path) -> MaskedModel:
    """A model that can be asked what it expects at masked places; in evaluation mode.

    Args:
        name_or_folder: as for `load`; or a masked language model of transformers that reads single residues,
            such as ESM-2, by its folder or its name on the hub.

    Raises:
        UserError: as for `load`.
    """
    folder = Path(name_or_folder).expanduser()
    if not folder.exists() and HUB_ID.fullmatch(str(name_or_folder)):
        folder = model_folder(name_or_folder, files=(*MODEL_FILES, *TOKENIZER_FILES))
    if (model := _foreign(folder)) is not None:
        return model
    if is_masked_language_model(folder):
        return load_masked_language_model(folder)
    return load(name_or_folder)


def _foreign(path: Path) -> SavedModel | None:
    """The model in a checkpoint of another program, if a family reads it."""
    found = (family.model.from_foreign(path) for family in FAMILIES.values())
    return next((model for model in found if model is not None), None)
