"""A stage as its config describes it, without memory for its weights: to plan it, or to check its values."""

import torch
from omegaconf import DictConfig

from lifecode.app.configs.construct import checked_value, construct
from lifecode.training.stages.encoder_stage import EncoderStage
from lifecode.training.stages.tokenizer_stage import TokenizerStage
from lifecode.verbs.train.life_code.teacher import Arm


def stage_without_memory(
    config: DictConfig, name: str, teacher_width: int | None
) -> TokenizerStage | EncoderStage:
    """The stage `tokenizer` or `encoder` as training makes it; of an encoder with a teacher of that width."""
    distilled = teacher_width is not None and checked_value(config, "teacher.targets", Arm) != "none"
    shared = {
        "objective": construct(config.objective.joint),
        "task_gradients_every_steps": checked_value(config, "objective.task_gradients_every_steps", int),
    }
    with torch.device("meta"):
        if name == "tokenizer":
            codec = construct(config.model.codec)
            return TokenizerStage(codec, optimizer=construct(config.optim.tokenizer), **shared)
        return EncoderStage(
            construct(config.model, teacher_width=teacher_width),
            optimizer=construct(config.optim.encoder),
            distillation=construct(config.kd, width=teacher_width) if distilled else None,
            freeze_tokenizer=checked_value(config, "objective.freeze_tokenizer", bool),
            freeze_readout=checked_value(config, "objective.freeze_readout", bool),
            **shared,
        )
