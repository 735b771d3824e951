"""`lifecode info`: what a model consists of, without building its weights."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from omegaconf import DictConfig

from lifecode.app.configs.construct import checked_value, construct
from lifecode.models.families import load
from lifecode.models.life_code.model import LifeCode
from lifecode.models.parts import parameters_by_part

if TYPE_CHECKING:
    from pandas import DataFrame


@dataclass(frozen=True, slots=True, repr=False)
class ModelInfo:
    """What a model consists of; as text, its shape and its parameters by part.

    Attributes:
        config: its shape, as in config.json.
        codon_dim: width of the codon embedding.
        parts: number of parameters of each part.
    """

    config: dict[str, Any]
    codon_dim: int
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
        shape = self.config
        lines = [
            f"{shape['depth']} layers of width {shape['width']}, "
            f"Gated DeltaNet : MHSA {shape['hybrid_ratio']}, strands {shape['strands']}",
            f"codon embedding of width {self.codon_dim}",
            "",
            *(f"{name:<32} {count:>14,}" for name, count in self.parts.items()),
            f"{'all':<32} {self.num_parameters:>14,}",
        ]
        return "\n".join(lines)


def info(model: LifeCode | str | Path) -> ModelInfo:
    """Describe a model.

    Args:
        model: a model, also one on torch's meta device, or what `lifecode.load` takes.

    Raises:
        UserError: as `lifecode.load`.
    """
    loaded = model if isinstance(model, LifeCode) else load(model)
    return ModelInfo(loaded.config, loaded.codec.codon_dim, parameters_by_part(loaded))


def run(config: DictConfig) -> ModelInfo:
    """Print the shape of the model and its parameters by part."""
    model = checked_value(config, "checkpoint", str | None)
    if model is None:
        width = checked_value(config, "teacher_width", int | None)
        with torch.device("meta"):
            model = construct(config.model, teacher_width=width)
    described = info(model)
    print(described)
    return described
