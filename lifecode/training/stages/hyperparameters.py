"""What a stage is made with as plain data, which stands in its checkpoints, and back.

A checkpoint names no class and holds no pickled object: of an objective it has the name, and only those of
`lifecode.objectives` are known.
"""

import copy
from collections.abc import Callable, Mapping
from dataclasses import asdict
from typing import Any

from lifecode.errors import UserError
from lifecode.models.families import FAMILIES
from lifecode.models.life_code.codec import CodonCodec
from lifecode.models.life_code.model import LifeCode
from lifecode.models.saved import SavedModel
from lifecode.objectives.distillation import DistillationLoss
from lifecode.objectives.joint import JointObjective
from lifecode.objectives.log_sum import LogSum
from lifecode.objectives.max_norm import MaxNorm
from lifecode.objectives.weighted_sum import WeightedSum
from lifecode.objectives.weighted_tasks import WeightedTasks
from lifecode.training.stages.optimizer import OptimizerRecipe

_OBJECTIVES: dict[str, type[JointObjective]] = {
    kind.__name__: kind for kind in (LogSum, MaxNorm, WeightedSum, WeightedTasks)
}


def as_plain_data(arguments: Mapping[str, Any]) -> dict[str, Any]:
    """Arguments of a stage as strings, numbers, None and dictionaries of these."""
    return {name: _plain(value) for name, value in arguments.items()}


def from_plain_data(hyperparameters: Mapping[str, Any]) -> dict[str, Any]:
    """The arguments that `as_plain_data` was given; modules among them are untrained.

    Raises:
        UserError: they were written by another version, or name an objective that is not lifecode's own.
    """
    return {
        name: _BUILDERS[name](value) if name in _BUILDERS and value is not None else value
        for name, value in hyperparameters.items()
    }


def _plain(value: Any) -> Any:
    match value:
        case CodonCodec() | SavedModel() | DistillationLoss():
            return copy.deepcopy(value.config)
        case JointObjective():
            return {"name": type(value).__name__, **value.config}
        case OptimizerRecipe():
            return asdict(value)
        case _:
            return value


def _objective(data: dict[str, Any]) -> JointObjective:
    name = data.get("name")
    if name not in _OBJECTIVES:
        raise UserError(
            f"the objective {name!r} is none of {', '.join(_OBJECTIVES)}",
            remedy="Give it: load_from_checkpoint(path, objective=...)",
        )
    return _OBJECTIVES[name](**{key: value for key, value in data.items() if key != "name"})


def _model(data: dict[str, Any]) -> SavedModel:
    return FAMILIES[data.get("family", LifeCode.family)].model.from_config(data)


_BUILDERS: dict[str, Callable[[dict[str, Any]], Any]] = {
    "codec": CodonCodec.from_config,
    "model": _model,
    "distillation": lambda data: DistillationLoss(**data),
    "objective": _objective,
    "optimizer": lambda data: OptimizerRecipe(**data),
}
