"""Names that a config gives to classes of ours: what was said before, and what is said today.

A `_target_` is a part of a run's identity and outlives the module that it once named. The configs of the
package name a class by the package that exports it, which stays when the module behind it moves. Where such a
name changes all the same, the old one is entered here: old run folders then go on as the same run, and a
user's old config still builds.
"""

from typing import Any

_TODAY = {
    "lifecode.data.batch_shape.BatchShape": "lifecode.data.BatchShape",
    "lifecode.data.central_dogma.CodingSequenceOnly": "lifecode.datasets.central_dogma.CodingSequenceOnly",
    "lifecode.data.central_dogma.GeneWithFlanks": "lifecode.datasets.central_dogma.GeneWithFlanks",
    "lifecode.data.central_dogma.Homologs": "lifecode.datasets.central_dogma.Homologs",
    "lifecode.data.central_dogma.Pairs": "lifecode.datasets.central_dogma.Pairs",
    "lifecode.data.central_dogma.PreMrnas": "lifecode.datasets.central_dogma.PreMrnas",
    "lifecode.data.central_dogma.SpliceWindows": "lifecode.datasets.central_dogma.SpliceWindows",
    "lifecode.data.engine.LocalEngine": "lifecode.data.LocalEngine",
    "lifecode.data.masking.Masking": "lifecode.data.Masking",
    "lifecode.data.mixture.Mixture": "lifecode.data.Mixture",
    "lifecode.data.ray_engine.RayEngine": "lifecode.data.RayEngine",
    "lifecode.data.reading.ReadingSettings": "lifecode.data.ReadingSettings",
    "lifecode.data.split.BlockSplit": "lifecode.data.BlockSplit",
    "lifecode.data.split.ContigSplit": "lifecode.data.ContigSplit",
    "lifecode.data.split.TaxonSplit": "lifecode.data.TaxonSplit",
    "lifecode.evaluation.heldout.HeldOut": "lifecode.evaluation.HeldOut",
    "lifecode.model.CodonCodec": "lifecode.models.CodonCodec",
    "lifecode.model.LifeCode": "lifecode.models.LifeCode",
    "lifecode.model.codec.CodonCodec": "lifecode.models.CodonCodec",
    "lifecode.model.life_code.LifeCode": "lifecode.models.LifeCode",
    "lifecode.objectives.distillation.DistillationLoss": "lifecode.objectives.DistillationLoss",
    "lifecode.objectives.log_sum.LogSum": "lifecode.objectives.LogSum",
    "lifecode.objectives.max_norm.MaxNorm": "lifecode.objectives.MaxNorm",
    "lifecode.objectives.weighted_sum.WeightedSum": "lifecode.objectives.WeightedSum",
    "lifecode.teachers.esm2.Esm2Teacher": "lifecode.teachers.Esm2Teacher",
    "lifecode.teachers.near.NearTeacher": "lifecode.teachers.NearTeacher",
    "lifecode.training.optimizer.AdamWCosine": "lifecode.training.AdamWCosine",
    "lifecode.training.trainer.TrainerSettings": "lifecode.training.TrainerSettings",
}
"""Each name that configs ever gave to a class, with the one that `conf/` gives it now."""


def todays_target(name: str) -> str:
    """What is said today for a `_target_`; the name itself where nothing has changed."""
    return _TODAY.get(name, name)


def with_todays_targets(node: Any) -> Any:
    """The same plain config with today's name at every `_target_`."""
    if isinstance(node, dict):
        return {
            key: todays_target(value)
            if key == "_target_" and isinstance(value, str)
            else with_todays_targets(value)
            for key, value in node.items()
        }
    return [with_todays_targets(item) for item in node] if isinstance(node, list) else node
