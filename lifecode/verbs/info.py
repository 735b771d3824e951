"""`lifecode info`: what a model consists of, without building its weights."""

import torch
from omegaconf import DictConfig

from lifecode.app.configs.construct import checked_value, construct
from lifecode.models.families import load
from lifecode.models.life_code.model import LifeCode
from lifecode.models.parts import parameters_by_part


def run(config: DictConfig) -> None:
    """Print the shape of the model and its parameters by part."""
    checkpoint = checked_value(config, "checkpoint", str | None)
    if checkpoint is not None:
        model = load(checkpoint)
    else:
        width = checked_value(config, "teacher_width", int | None)
        with torch.device("meta"):
            model = construct(config.model, teacher_width=width)
    print(description(model))


def description(model: LifeCode) -> str:
    """The shape of a model and its parameters by part, as text."""
    shape = model.config
    parts = parameters_by_part(model)
    lines = [
        f"{shape['depth']} layers of width {shape['width']}, Gated DeltaNet : MHSA {shape['hybrid_ratio']}, "
        f"strands {shape['strands']}",
        f"codon embedding of width {model.codec.codon_dim}",
        "",
        *(f"{name:<32} {count:>14,}" for name, count in parts.items()),
        f"{'all':<32} {sum(parts.values()):>14,}",
    ]
    return "\n".join(lines)
