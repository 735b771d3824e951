"""Adapters of low rank on a model."""

import peft
import torch

from lifecode import LifeCode


def adapted(model: LifeCode, targets: list[str]) -> peft.PeftModel:
    """The model with an adapter of rank 4 on the named projections, as yet without effect."""
    return peft.get_peft_model(model, peft.LoraConfig(r=4, target_modules=targets))


def move_adapters(model: torch.nn.Module) -> None:
    """Give every adapter an effect."""
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            if "lora_B" in name:
                parameter.normal_(std=0.5)
