"""Training stages around small models, and objectives of every kind."""

from typing import Any

import torch

from lifecode.models import LifeCode
from lifecode.objectives import DistillationLoss, LogSum, Loss, MaxNorm, WeightedSum
from lifecode.objectives.joint import JointObjective
from lifecode.training.stages.encoder_stage import EncoderStage
from lifecode.training.stages.optimizer import OptimizerRecipe
from lifecode.training.stages.tokenizer_stage import TokenizerStage
from tests.support.small_models import SIZES, small_codec

RECIPE = OptimizerRecipe(lr=1e-3, total_steps=100, warmup_steps=10, clip_norm=1e9)


def encoder_stage(
    objective: JointObjective | None = None, *, model: LifeCode | None = None, **flags: Any
) -> EncoderStage:
    """Stage 2 of a model as it is before training, distilled from a teacher of two features."""
    model = model or LifeCode(codec=small_codec(1), teacher_width=2, **SIZES)
    distillation = DistillationLoss(width=model.config["teacher_width"])
    objective = objective or LogSum()
    return EncoderStage(model, objective=objective, optimizer=RECIPE, distillation=distillation, **flags)


def tokenizer_stage(objective: JointObjective | None = None, **codec: Any) -> TokenizerStage:
    """Stage 1 of a codec as it is before training."""
    return TokenizerStage(small_codec(1, **codec), objective=objective or LogSum(), optimizer=RECIPE)


def seen(objective: JointObjective) -> JointObjective:
    """The objective after a step."""
    tasks = {"mlm": 2.0, "translation": 1.0, "distillation": 0.5}
    objective.remember({n: Loss(torch.tensor(x), torch.tensor(1.0)) for n, x in tasks.items()})
    return objective


OBJECTIVES = [LogSum(), seen(LogSum(weights="lagged")), MaxNorm(), WeightedSum(translation=2.0)]
