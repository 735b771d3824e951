"""The two stages of one run, one after the other, each from where it stopped."""

import logging
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from lightning.pytorch.loggers import Logger

from lifecode.data.batch import ResidueFeatures
from lifecode.data.durable import disk_faults_named, replacing
from lifecode.data.module import CorpusDataModule
from lifecode.errors import UserError
from lifecode.model import pretrained
from lifecode.model.codec import CodonCodec
from lifecode.model.life_code import LifeCode
from lifecode.objectives.distillation import DistillationLoss
from lifecode.objectives.log_sum import LogSum
from lifecode.training.checkpoint_file import discard_checkpoints
from lifecode.training.encoder_stage import EncoderStage
from lifecode.training.optimizer import AdamWCosine
from lifecode.training.tokenizer_stage import TokenizerStage
from lifecode.training.trainer import TrainerSettings, train_stage

logger = logging.getLogger(__name__)

CODEC_FAMILY = "codon_codec"
_STARTED_FROM = "started_from.txt"


@dataclass(frozen=True, slots=True)
class TwoStages:
    """What both stages share.

    Attributes:
        folder: of the run.
        data: makes the data module, with or without teacher features.
        objective: joins the tasks.
        trainer: limits, devices and rhythm.
        loggers: beside metrics.csv.
    """

    folder: Path
    data: Callable[[ResidueFeatures | None], CorpusDataModule]
    objective: LogSum
    trainer: TrainerSettings
    loggers: list[Logger]

    @property
    def tokenizer_model(self) -> Path:
        """Folder of the codec that stage 1 leaves."""
        return self.folder / "tokenizer" / "model"

    def train_tokenizer(self, codec: CodonCodec, optimizer: AdamWCosine) -> int:
        """Stage 1; leaves the codec in `tokenizer/model` and returns the steps it has done."""
        stage = TokenizerStage(codec, objective=self.objective, optimizer=optimizer)
        steps = train_stage(stage, self.data(None), self.trainer, self.folder, self.loggers)
        if self.tokenizer_model.exists():
            _name_damage(self.tokenizer_model)
        pretrained.save(codec, {"family": CODEC_FAMILY, **codec.config}, self.tokenizer_model)
        return steps

    def train_encoder(
        self,
        model: LifeCode,
        optimizer: AdamWCosine,
        *,
        codec_folder: Path,
        distillation: DistillationLoss | None,
        features: ResidueFeatures | None,
        freeze_tokenizer: bool,
        freeze_readout: bool,
    ) -> int:
        """Stage 2 on the codec of `codec_folder`; returns the steps it has done.

        If the codec is not the one that this stage began with (stage 1 was trained further since), the
        stage begins anew.
        """
        self._begin_anew_if_codec_changed(codec_folder)
        load_codec(model.codec, codec_folder)
        stage = EncoderStage(
            model,
            objective=self.objective,
            optimizer=optimizer,
            distillation=distillation,
            freeze_tokenizer=freeze_tokenizer,
            freeze_readout=freeze_readout,
        )
        steps = train_stage(stage, self.data(features), self.trainer, self.folder, self.loggers)
        model.requires_grad_(True)
        return steps

    def _begin_anew_if_codec_changed(self, codec_folder: Path) -> None:
        record = self.folder / "encoder" / _STARTED_FROM
        checksums = (codec_folder / pretrained.CHECKSUMS).read_text()
        if record.exists() and record.read_text() != checksums:
            print("encoder: the tokenizer was trained further since this stage began, so it begins anew")
            discard_checkpoints(self.folder / "encoder" / "checkpoints")
            (self.folder / "metrics.json").unlink(missing_ok=True)
        with disk_faults_named(record):
            record.parent.mkdir(parents=True, exist_ok=True)
            with replacing(record) as file:
                file.write(checksums.encode())


def _name_damage(folder: Path) -> None:
    """Says what is wrong with a model that is about to be written again from its checkpoint."""
    try:
        pretrained.read_config(folder)
    except UserError as error:
        logger.warning("%s: %s; it is written again from the last checkpoint", error.source, error.problem)


def load_codec(codec: CodonCodec, folder: Path) -> None:
    """Loads the weights that stage 1 left in a folder.

    Raises:
        UserError: no codec there, or one of another shape.
    """
    config = pretrained.read_config(folder, family=CODEC_FAMILY)
    expected = {"family": CODEC_FAMILY, **codec.config}
    changed = sorted(key for key in expected if config.get(key) != expected[key])
    if changed:
        key = changed[0]
        raise UserError(
            f"the tokenizer was trained with {key} {config.get(key)!r}, the model has {expected[key]!r}",
            source=folder,
            remedy="Choose the model it was trained for, or train a tokenizer of this shape",
        )
    pretrained.load_weights(codec, folder)
