"""The classes that a `_target_` may name.

A config may come from a stranger, so this is a list and not a rule: a public function or class of ours may
well write, delete or start a process. A class that `conf/` names for the first time is entered here.
"""

import inspect

OURS = frozenset(
    {
        "lifecode.data.batch_shape.BatchShape",
        "lifecode.data.central_dogma.dna.CodingSequenceOnly",
        "lifecode.data.central_dogma.dna.GeneWithFlanks",
        "lifecode.data.central_dogma.homologs.Homologs",
        "lifecode.data.central_dogma.pairs.Pairs",
        "lifecode.data.central_dogma.pre_mrna.PreMrnas",
        "lifecode.data.central_dogma.splice_windows.SpliceWindows",
        "lifecode.data.engine.LocalEngine",
        "lifecode.data.masking.Masking",
        "lifecode.data.mixture.Mixture",
        "lifecode.data.ray_engine.RayEngine",
        "lifecode.data.reading.ReadingSettings",
        "lifecode.data.split.BlockSplit",
        "lifecode.data.split.ContigSplit",
        "lifecode.data.split.TaxonSplit",
        "lifecode.evaluation.heldout.HeldOut",
        "lifecode.model.codec.CodonCodec",
        "lifecode.model.life_code.LifeCode",
        "lifecode.objectives.distillation.DistillationLoss",
        "lifecode.objectives.log_sum.LogSum",
        "lifecode.objectives.max_norm.MaxNorm",
        "lifecode.objectives.weighted_sum.WeightedSum",
        "lifecode.teachers.esm2.Esm2Teacher",
        "lifecode.teachers.near.NearTeacher",
        "lifecode.training.optimizer.AdamWCosine",
        "lifecode.training.trainer.TrainerSettings",
    }
)
"""By the module that defines them, whatever path a config takes."""
LOGGERS = frozenset(
    {
        "lightning.pytorch.loggers.tensorboard.TensorBoardLogger",
        "lightning.pytorch.loggers.wandb.WandbLogger",
    }
)
"""Those of `conf/logger`."""
PACKAGES = (
    "torch.optim",
    "lightning.pytorch.callbacks",
    "lightning.pytorch.loggers",
    "lightning.pytorch.trainer.trainer",
)
"""Whose classes, and no functions, a command line may name besides."""


def home_of(target: object) -> str:
    """Where a class was defined, which is not always the path taken to it; empty for what is no class."""
    return f"{target.__module__}.{target.__qualname__}" if inspect.isclass(target) else ""


def is_configurable(target: object) -> bool:
    """Whether a `_target_` may name this."""
    home = home_of(target)
    return home in OURS or home.startswith(tuple(f"{package}." for package in PACKAGES))
