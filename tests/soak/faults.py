"""Faults that no file and no signal can bring about, put into the process of a sitting."""

import torch

from lifecode.training.stages.encoder_stage import EncoderStage
from lifecode.training.stages.step_losses import StepLosses
from lifecode.training.stages.tokenizer_stage import TokenizerStage


def inject(faults: dict[str, list[int]]) -> None:
    """Makes the translation loss infinite in some even steps of training, and NaN in some odd ones.

    Args:
        faults: 0-based steps by the name of their stage.
    """
    for stage in (TokenizerStage, EncoderStage):
        if steps := faults.get(stage.name):
            stage.losses = _spoilt(stage.losses, steps)


def _spoilt(losses, steps):
    def spoilt(self, batch):
        found = losses(self, batch)
        if self.training and torch.is_grad_enabled() and self.global_step in steps:
            translation = found.tasks["translation"]
            total = translation.total * (torch.nan if self.global_step % 2 else torch.inf)
            tasks = {**found.tasks, "translation": translation._replace(total=total)}
            return StepLosses(tasks, found.monitors)
        return found

    return spoilt
