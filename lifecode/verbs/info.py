"""`lifecode info`: what a model consists of, without building its weights."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from omegaconf import DictConfig

from lifecode.app.configs.construct import checked_value, construct
from lifecode.app.load import load
from lifecode.arguments import arguments_checked
from lifecode.models.families import FAMILIES
from lifecode.models.parts import parameters_of
from lifecode.models.saved import SavedModel

if TYPE_CHECKING:
    from pandas import DataFrame


@dataclass(frozen=True, slots=True, repr=False)
class ModelInfo:
    """What a model consists of; as text, its shape and its parameters by part.

    Attributes:
        config: its shape, as in config.json.
        shape: the same in lines for people.
        parts: number of parameters of each part.
    """

    config: dict[str, Any]
    shape: tuple[str, ...]
    parts: dict[str, int]

    @property
    def num_parameters(self) -> int:
        """Of all parts."""
        return sum(self.parts.values())

    @property
    def table(self) -> "DataFrame":
        """A row per part with its number of `parameters`, as a pandas frame."""
        from pandas import DataFrame

        return DataFrame({"parameters": self.parts})

    def __repr__(self) -> str:
        counts = [f"{name:<32} {count:>14,}" for name, count in self.parts.items()]
        return "\n".join([*self.shape, "", *counts, f"{'all':<32} {self.num_parameters:>14,}"])


@arguments_checked
def info(model: SavedModel | str | Path) -> ModelInfo:
    """Describe a model; of a fine-tuned one its encoder, and what it was tuned on.

    Args:
        model: a model, also one on torch's meta device, or what `lifecode.load` takes.

    Raises:
        UserError: as `lifecode.load`.
    """
    loaded = model if isinstance(model, SavedModel) else load(model)
    tuned_on: list[str] = []
    if not isinstance(loaded, SavedModel):
        tuned_on, loaded = _tuned_on(loaded), loaded.model
    family = FAMILIES[loaded.family]
    shape = (*tuned_on, *family.shape(loaded))
    return ModelInfo(loaded.config, shape, parameters_of(family.parts(loaded)))


def _tuned_on(tuned: Any) -> list[str]:
    """What a fine-tuned model has learnt, a line each."""
    labels, told = tuned.labels, tuned.told
    unit = "pair" if getattr(tuned, "kinds", None) else labels.unit
    classes = f": {', '.join(labels.classes)}" if labels.classes else ""
    examples, source = told.get("examples", "?"), told.get("task", {}).get("train", "?")
    return [
        f"fine-tuned, {labels.kind} of each {unit}{classes}",
        f"on {examples} examples of {source}",
        f"with the states of {told.get('encoder', '?')}:",
    ]


def run(config: DictConfig) -> ModelInfo:
    """Print the shape of the model and its parameters by part."""
    model = checked_value(config, "checkpoint", str | None)
    if model is None:
        width = checked_value(config, "teacher_width", int | None)
        with torch.device("meta"):
            model = construct(config.model, **({} if width is None else {"teacher_width": width}))
    described = info(model)
    print(described)
    return described
