"""`lifecode train`: by the recipe of the family of the model, in one process or in each of several."""

import logging
import warnings
from collections.abc import Callable, Sequence
from typing import NamedTuple

import torch
from omegaconf import DictConfig

from lifecode.app.configs.construct import checked_value, construct, locate
from lifecode.app.launch import run_processes
from lifecode.app.provenance import current_start
from lifecode.errors import UserError
from lifecode.models.life_code.model import LifeCode
from lifecode.models.luca_one.model import LucaOne
from lifecode.ops.cpu.heap import keep_freed_memory
from lifecode.report.charts.figure_style import use_colours
from lifecode.training.processes import Processes, cluster_environment, joined
from lifecode.training.trainer import TrainerSettings
from lifecode.verbs.train.life_code import train as life_code
from lifecode.verbs.train.life_code.plan import plan_run
from lifecode.verbs.train.luca_one import train as luca_one
from lifecode.verbs.train.luca_one.check import check as check_luca_one
from lifecode.verbs.train.luca_one.keys_without_effect import require_effect
from lifecode.verbs.train.luca_one.plan import plan as plan_luca_one
from lifecode.verbs.train.plan import RunPlan
from lifecode.verbs.train.plan_tables import print_plan
from lifecode.verbs.train.training_run import TrainingRun


def run(config: DictConfig) -> TrainingRun | RunPlan:
    """Train what the family of the model needs, each stage from where it stopped; evaluate after the last."""
    recipe = recipe_of(config)
    recipe.require_effect(config, current_start().overrides)
    if checked_value(config, "plan", bool):
        recipe.check(config)
        plan = recipe.plan(config)
        print_plan(plan)
        return plan
    _quiet_lightning()
    keep_freed_memory()
    use_colours(construct(config.figures))
    settings: TrainerSettings = construct(config.trainer)
    run_dir = checked_value(config, "run_dir", str)
    _require_devices(settings)
    if settings.num_processes > 1 and cluster_environment() is None:
        run_processes("train", run_dir, settings.num_processes)
        return TrainingRun(run_dir)
    with joined(settings.num_processes, gpu=settings.on_gpu) as processes:
        recipe.train(config, settings, processes)
    return TrainingRun(run_dir)


class Recipe(NamedTuple):
    """How a family of models is trained.

    Attributes:
        check: raises a `UserError` where a value does not fit, before anything is written.
        plan: what a run would be.
        train: trains, in one of several processes or in the only one, and evaluates.
        require_effect: raises a `UserError` where an override of the command line says what is not read.
    """

    check: Callable[[DictConfig], None]
    plan: Callable[[DictConfig], RunPlan]
    train: Callable[[DictConfig, TrainerSettings, Processes], None]
    require_effect: Callable[[DictConfig, Sequence[str]], None] = lambda config, overrides: None


def recipe_of(config: DictConfig) -> Recipe:
    """That of the family whose class `model` names; of a class that is none, Life-Code's says so."""
    model = locate(config.model.get("_target_"), "model._target_")
    return _RECIPES.get(getattr(model, "family", ""), _RECIPES[LifeCode.family])


def _require_devices(settings: TrainerSettings) -> None:
    found = torch.cuda.device_count()
    if (settings.on_gpu or settings.accelerator == "gpu") and settings.processes_per_node > found:
        raise UserError(
            f"asks for {settings.processes_per_node} GPUs, and this machine has {found}",
            source="trainer.devices",
            remedy="Ask for fewer, or for trainer.accelerator=cpu",
        )
    if settings.num_nodes > 1 and cluster_environment() is None:
        raise UserError(
            f"is {settings.num_nodes}, and this command can start processes on its own machine only",
            source="trainer.num_nodes",
            remedy="Start it on every machine with torchrun or srun: docs/cluster.md",
        )


def _quiet_lightning() -> None:
    """Only what concerns the user: devices, tips and missing workers do not."""
    logging.getLogger("lightning.pytorch").setLevel(logging.ERROR)
    for message in (
        ".*many workers.*",
        ".*mid-epoch.*",
        ".*`IterableDataset` has.*",
        ".*LeafSpec.*",
        ".*sync_dist=True.*",  # the stages sum over processes themselves
        ".*returned a view tensor.*",  # and change none in place
        ".*pre-optimization state.*",  # of ModelCheckpoint: it saves what a step has left
    ):
        warnings.filterwarnings("ignore", message=message)


_RECIPES = {
    LifeCode.family: Recipe(life_code.check, plan_run, life_code.train),
    LucaOne.family: Recipe(check_luca_one, plan_luca_one, luca_one.train, require_effect),
}
"""By family of models."""
