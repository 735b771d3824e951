"""One fit of a network: from the checkpoint that a kill left to its best epoch, which stays in the folder.

`weights.safetensors` with `fit.json` beside it is a fit that is done and is never done again; before that the
folder has checkpoints.
"""

import json
import logging
import shutil
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors.torch import load_file, save_file
from torch import Tensor

from lifecode.errors import Interrupted
from lifecode.evaluation.metrics import Metric
from lifecode.host.checksum import sha256, write_json
from lifecode.host.durable import disk_faults_named
from lifecode.tasks.tuning.fine_tuning import FineTuning, Judged
from lifecode.tasks.tuning.network import TaskNetwork
from lifecode.tasks.tuning.settings import Candidate, Fit
from lifecode.tasks.tuning.steps import FitData, Steps
from lifecode.training.callbacks.checkpoints import Checkpoints
from lifecode.training.run.checkpoint_file import latest_checkpoint, stopped_early
from lifecode.training.stages.optimizer import OptimizerRecipe
from lifecode.training.trainer import TrainerSettings, lightning_trainer, stops_named

WEIGHTS, DESCRIPTION, CHECKPOINTS = "weights.safetensors", "fit.json", "checkpoints"


@dataclass(frozen=True, slots=True)
class KeptFit:
    """What a fit gave.

    Attributes:
        judged: its best epoch on the validation rows.
        curve: `step`, `train_loss`, `validation_loss` and the metric of every epoch.
        kept: what that epoch had learnt, by name, or the file that holds it.
    """

    judged: Judged
    curve: list[dict[str, float]]
    kept: dict[str, Tensor] | Path

    def state(self) -> dict[str, Tensor]:
        """What the best epoch had learnt, by name."""
        return load_file(self.kept) if isinstance(self.kept, Path) else self.kept


def trainer_settings(fit: Fit, steps_per_epoch: int) -> TrainerSettings:
    """Devices and rhythm: validated after every epoch."""
    return TrainerSettings(
        accelerator=fit.accelerator,
        precision=fit.precision,
        validate_every_steps=steps_per_epoch,
        checkpoint_every_steps=fit.checkpoint_every_steps,
    )


def fit_network(
    network: TaskNetwork,
    steps: Steps,
    validation: NDArray[np.int64],
    candidate: Candidate,
    fit: Fit,
    *,
    metric: Metric,
    seed: int,
    folder: Path | None,
) -> KeptFit:
    """Learn, or go on, or take what is done.

    Args:
        network: as before its first step; it may be changed.
        steps: from the first one.
        validation: (n,) examples that epochs are judged by.
        candidate: learning rate, weight decay, epochs.
        fit: the rest.
        metric: that epochs are judged by.
        seed: of dropout.
        folder: of this fit alone; None keeps nothing for a kill.

    Raises:
        Interrupted: asked to stop; the same call goes on.
        UserError: the disk is full, or the loss is no finite number.
    """
    if folder is not None and (done := finished_fit(folder)) is not None:
        return done
    total = candidate.epochs * steps.per_epoch
    recipe = OptimizerRecipe(
        lr=candidate.lr,
        total_steps=total,
        warmup_steps=round(fit.warmup * total),
        weight_decay=candidate.weight_decay,
    )
    module = FineTuning(network, recipe, metric=metric, patience=fit.patience, seed=seed)
    settings = trainer_settings(fit, steps.per_epoch)
    checkpoint, saving = None, None
    if folder is not None:
        kept = folder / CHECKPOINTS
        with disk_faults_named(kept):
            kept.mkdir(parents=True, exist_ok=True)
        checkpoint = latest_checkpoint(kept)
        saving = Checkpoints(kept, every_steps=fit.checkpoint_every_steps)
    if checkpoint is not None and stopped_early(checkpoint):
        module.on_load_checkpoint(torch.load(checkpoint, map_location="cpu", weights_only=True))
    else:
        module.train()
        with torch.random.fork_rng(), stops_named(), _quiet_lightning():
            trainer = lightning_trainer(settings, total, [], [saving] if saving else [], None, folder)
            trainer.fit(
                module, datamodule=FitData(steps, validation), ckpt_path=checkpoint, weights_only=True
            )
    assert module.best is not None
    result = KeptFit(module.best, module.curve, module.best_state)
    if folder is not None:
        result = _write(folder, result)
    if saving is not None and saving.stop_requested:  # too late for the fit to see
        raise Interrupted("stopped after a fit; the same command goes on with the next")
    return result


@contextmanager
def _quiet_lightning() -> Iterator[None]:
    """A comparison makes many fits, and what Lightning says of devices is the same for each."""
    said = logging.getLogger("lightning.pytorch")
    before = said.level
    said.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", message=".*isinstance.treespec, LeafSpec")
            warnings.filterwarnings("ignore", message=".*does not have many workers")
            yield
    finally:
        said.setLevel(before)


def _write(folder: Path, result: KeptFit) -> KeptFit:
    with disk_faults_named(folder):
        save_file({name: x.contiguous() for name, x in result.state().items()}, folder / WEIGHTS)
        described = {"judged": list(result.judged), "curve": result.curve, "sha256": sha256(folder / WEIGHTS)}
        write_json(folder / DESCRIPTION, described)
        shutil.rmtree(folder / CHECKPOINTS, ignore_errors=True)
    return KeptFit(result.judged, result.curve, folder / WEIGHTS)


def finished_fit(folder: Path) -> KeptFit | None:
    """A fit that is done; None where there is none, or half of one."""
    try:
        described = json.loads((folder / DESCRIPTION).read_text(encoding="utf-8"))
        if sha256(folder / WEIGHTS) != described["sha256"]:
            return None
        judged, curve = Judged(*described["judged"]), described["curve"]
        return KeptFit(judged, curve, folder / WEIGHTS)
    except (OSError, ValueError, KeyError, TypeError):
        return None
