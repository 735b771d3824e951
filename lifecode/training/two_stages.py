"""The two stages of one run, one after the other, each from where it stopped."""

import logging
import shutil
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from lightning import Callback
from lightning.pytorch.loggers import Logger
from numpy.typing import NDArray

from lifecode.data.batches.batch import ResidueFeatures
from lifecode.data.batches.module import CorpusDataModule
from lifecode.errors import UserError
from lifecode.host.recorded import read_recorded, write_recorded
from lifecode.models import pretrained
from lifecode.models.life_code.codec import CodonCodec
from lifecode.models.life_code.model import LifeCode
from lifecode.models.weights import load_weights, require_depth
from lifecode.objectives.distillation import DistillationLoss
from lifecode.objectives.joint import JointObjective
from lifecode.training.processes import ALONE, Processes
from lifecode.training.run.checkpoint_file import checkpoint_step, latest_checkpoint
from lifecode.training.stages.encoder_stage import EncoderStage
from lifecode.training.stages.optimizer import OptimizerRecipe
from lifecode.training.stages.stage import PretrainingStage
from lifecode.training.stages.tokenizer_stage import TokenizerStage
from lifecode.training.trainer import TrainerSettings, train_stage

logger = logging.getLogger(__name__)

_CODEC_FAMILY = "codon_codec"
_STARTED_FROM = "started_from.txt"
_NO_SHAPE = ("codec", "teacher_width", "activation_checkpointing", "init_std", "layer_scale")
"""Values of a model's config that say nothing of the weights it can begin with, or are compared apart."""


@dataclass(frozen=True, slots=True)
class TwoStages:
    """What both stages share.

    Attributes:
        folder: of the run.
        data: makes the data module of a stage, by its name, with or without teacher features.
        objective: joins the tasks.
        task_gradients_every_steps: steps between logs of each task's gradient norm.
        trainer: limits, devices and rhythm.
        loggers: beside metrics.csv.
        callbacks: of both stages, beside those that save, measure and show.
        processes: that train together.
    """

    folder: Path
    data: Callable[[str, ResidueFeatures | None], CorpusDataModule]
    objective: JointObjective
    task_gradients_every_steps: int
    trainer: TrainerSettings
    loggers: list[Logger] = field(default_factory=list)
    callbacks: list[Callback] = field(default_factory=list)
    processes: Processes = ALONE

    @property
    def tokenizer_model(self) -> Path:
        """Folder of the codec that stage 1 leaves."""
        return self.folder / "tokenizer" / "model"

    def finished_steps(
        self, *, tokenizer: OptimizerRecipe | None, encoder: OptimizerRecipe, begin_with: Path
    ) -> int | None:
        """Steps of stage 2 if both stages are finished, the second from what is in `begin_with`; else None.

        Args:
            tokenizer: recipe of stage 1; None where it is not this run's to train.
            encoder: recipe of stage 2.
            begin_with: folder of what stage 2 begins with.
        """
        began_with = self._began_with()
        if began_with is None or began_with != pretrained.weights_checksum(begin_with / pretrained.CHECKSUMS):
            return None
        stages = [(TokenizerStage.name, tokenizer)] if tokenizer else []
        steps = 0
        for name, recipe in [*stages, (EncoderStage.name, encoder)]:
            checkpoint = latest_checkpoint(self.folder / name / "checkpoints")
            if checkpoint is None or not self.trainer.is_last(checkpoint, recipe.total_steps):
                return None
            steps = checkpoint_step(checkpoint)
        return steps

    @property
    def _started_from(self) -> Path:
        return self.folder / EncoderStage.name / _STARTED_FROM

    def _began_with(self) -> str | None:
        """SHA-256 of the weights that stage 2 began with; None where it has not begun.

        Raises:
            UserError: the record of it is damaged.
        """
        remedy = "If stage 1 was not trained further since, delete the file: the run goes on as it stands"
        return read_recorded(self._started_from, remedy=remedy)

    def train_tokenizer(
        self,
        codec: CodonCodec,
        optimizer: OptimizerRecipe,
        *,
        training_genes: Callable[[], NDArray[np.uint32] | None],
    ) -> int:
        """Stage 1; leaves the codec in `tokenizer/model`, with sketches of its genes; returns its steps."""
        stage = TokenizerStage(
            codec,
            objective=self.objective,
            optimizer=optimizer,
            task_gradients_every_steps=self.task_gradients_every_steps,
        )
        steps = self._train(stage, None)
        self.processes.only_first(lambda: self._save_tokenizer(codec, training_genes()))
        return steps

    def _save_tokenizer(self, codec: CodonCodec, genes: NDArray[np.uint32] | None) -> None:
        if self.tokenizer_model.exists():
            _name_damage(self.tokenizer_model)
        config = {"family": _CODEC_FAMILY, **codec.config}
        pretrained.save(codec, config, self.tokenizer_model, training_genes=genes)

    def train_encoder(
        self,
        model: LifeCode,
        optimizer: OptimizerRecipe,
        *,
        begin_with: Path,
        distillation: DistillationLoss | None,
        features: ResidueFeatures | None,
        freeze_tokenizer: bool,
        freeze_readout: bool,
    ) -> int:
        """Stage 2, begun with the codec or the whole model in a folder; returns the steps it has done.

        If stage 1 of this run was trained further since this stage began, the stage begins anew.

        Raises:
            UserError: another run's model or tokenizer has changed since this stage began with it.
        """
        self.processes.only_first(lambda: self._record_start(begin_with))
        if pretrained.read_config(begin_with)["family"] == LifeCode.family:
            load_model(model, begin_with)
        else:
            load_codec(model.codec, begin_with)
        stage = EncoderStage(
            model,
            objective=self.objective,
            optimizer=optimizer,
            task_gradients_every_steps=self.task_gradients_every_steps,
            distillation=distillation,
            freeze_tokenizer=freeze_tokenizer,
            freeze_readout=freeze_readout,
        )
        steps = self._train(stage, features)
        model.requires_grad_(True)
        return steps

    def _train(self, stage: PretrainingStage, features: ResidueFeatures | None) -> int:
        return train_stage(
            stage,
            self.data(stage.name, features),
            self.trainer,
            self.folder,
            self.loggers,
            self.processes,
            self.callbacks,
        )

    def _record_start(self, begin_with: Path) -> None:
        pretrained.read_config(begin_with)  # which says what is damaged
        weights = pretrained.weights_checksum(begin_with / pretrained.CHECKSUMS)
        assert weights is not None
        before = self._began_with()
        if before is not None and before != weights:
            if begin_with != self.tokenizer_model:
                raise UserError(
                    "holds other weights than those that stage 2 of this run began with",
                    source=begin_with,
                    remedy="Bring those back, or give the run another name",
                )
            self._set_checkpoints_aside(before)
        write_recorded(self._started_from, weights)

    def _set_checkpoints_aside(self, began_with: str) -> None:
        """So that stage 2 begins at step 0, and what it had learnt with another tokenizer is not lost."""
        checkpoints = self.folder / EncoderStage.name / "checkpoints"
        aside = checkpoints.with_name(f"checkpoints_of_tokenizer_{began_with[:8]}")
        if checkpoints.exists():
            shutil.rmtree(aside, ignore_errors=True)
            checkpoints.rename(aside)
        (self.folder / "metrics.json").unlink(missing_ok=True)
        print("encoder: the tokenizer was trained further since, so it begins anew")
        print(f"encoder: what it had learnt with the other tokenizer is in {aside}")


def _name_damage(folder: Path) -> None:
    """Says what is wrong with a model that is about to be written again from its checkpoint."""
    try:
        pretrained.read_config(folder)
    except UserError as error:
        logger.warning("%s: %s; it is written again from the last checkpoint", error.source, error.problem)


def require_fit(model: LifeCode, folder: Path, *, whole: bool) -> None:
    """Refuses a folder whose weights the model, or its tokenizer alone, cannot begin with; loads none.

    Args:
        model: on any device, meta too.
        folder: of a `whole` model, or of a tokenizer.

    Raises:
        UserError: no such weights there, or those of another shape.
    """
    if whole:
        _require_model_shape(model, folder)
    else:
        _require_codec_shape(model.codec, folder)


def load_codec(codec: CodonCodec, folder: Path) -> None:
    """Loads the weights that stage 1 left in a folder.

    Raises:
        UserError: no codec there, or one of another shape.
    """
    _require_codec_shape(codec, folder)
    load_weights(codec, folder)


def load_model(model: LifeCode, folder: Path) -> None:
    """Loads the weights of a whole model; a protein decoder for a teacher of another width stays as it is.

    Raises:
        UserError: no model there, or one of another shape.
    """
    _require_model_shape(model, folder)
    found = LifeCode.from_pretrained(folder)
    if found.config["teacher_width"] != model.config["teacher_width"]:
        found.protein_decoder = model.protein_decoder
    model.load_state_dict(found.state_dict())


def _require_codec_shape(codec: CodonCodec, folder: Path) -> None:
    config = pretrained.read_config(folder, family=_CODEC_FAMILY)
    arguments = {key: value for key, value in config.items() if key not in ("family", "model_type")}
    with torch.device("meta"):  # with the defaults of what an older config does not say
        found = CodonCodec.from_config(arguments)
    _require_same_shape(codec.config, found.config, folder, "tokenizer")


def _require_model_shape(model: LifeCode, folder: Path) -> None:
    config = pretrained.read_config(folder, family=LifeCode.family)
    require_depth(folder, config)
    with torch.device("meta"):
        found = LifeCode.from_config(config)
    _require_same_shape(model.codec.config, found.codec.config, folder, "tokenizer of the model")
    shape = {key: value for key, value in model.config.items() if key not in _NO_SHAPE}
    _require_same_shape(shape, found.config, folder, "model")


def _require_same_shape(expected: dict[str, Any], found: dict[str, Any], folder: Path, what: str) -> None:
    changed = sorted(key for key in expected if found.get(key) != expected[key])
    if changed:
        key = changed[0]
        raise UserError(
            f"the {what} was trained with {key} {found.get(key)!r}, the model has {expected[key]!r}",
            source=folder,
            remedy=f"Choose the model it was trained for, or train a {what} of this shape",
        )
