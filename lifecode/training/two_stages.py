"""The two stages of one run, one after the other, each from where it stopped."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from lightning.pytorch.loggers import Logger

from lifecode.data.batch import ResidueFeatures
from lifecode.data.module import CorpusDataModule
from lifecode.errors import UserError
from lifecode.model import pretrained
from lifecode.model.codec import CodonCodec
from lifecode.model.life_code import LifeCode
from lifecode.objectives.distillation import DistillationLoss
from lifecode.objectives.joint import JointObjective
from lifecode.training.encoder_stage import EncoderStage
from lifecode.training.optimizer import AdamWCosine
from lifecode.training.processes import ALONE, Processes
from lifecode.training.stage import PretrainingStage
from lifecode.training.tokenizer_stage import TokenizerStage
from lifecode.training.trainer import TrainerSettings, discard_checkpoints, train_stage

CODEC_FAMILY = "codon_codec"
_STARTED_FROM = "started_from.txt"


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
        processes: that train together.
    """

    folder: Path
    data: Callable[[str, ResidueFeatures | None], CorpusDataModule]
    objective: JointObjective
    task_gradients_every_steps: int
    trainer: TrainerSettings
    loggers: list[Logger]
    processes: Processes = ALONE

    @property
    def tokenizer_model(self) -> Path:
        """Folder of the codec that stage 1 leaves."""
        return self.folder / "tokenizer" / "model"

    def train_tokenizer(self, codec: CodonCodec, optimizer: AdamWCosine) -> int:
        """Stage 1; leaves the codec in `tokenizer/model` and returns the steps it has done."""
        stage = TokenizerStage(
            codec,
            objective=self.objective,
            optimizer=optimizer,
            task_gradients_every_steps=self.task_gradients_every_steps,
        )
        steps = self._train(stage, None)
        config = {"family": CODEC_FAMILY, **codec.config}
        self.processes.only_first(lambda: pretrained.save(codec, config, self.tokenizer_model))
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
        self.processes.only_first(lambda: self._begin_anew_if_codec_changed(codec_folder))
        load_codec(model.codec, codec_folder)
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
            stage, self.data(stage.name, features), self.trainer, self.folder, self.loggers, self.processes
        )

    def _begin_anew_if_codec_changed(self, codec_folder: Path) -> None:
        record = self.folder / "encoder" / _STARTED_FROM
        checksums = (codec_folder / pretrained.CHECKSUMS).read_text()
        if record.exists() and record.read_text() != checksums:
            print("encoder: the tokenizer was trained further since this stage began, so it begins anew")
            discard_checkpoints(self.folder / "encoder" / "checkpoints")
            (self.folder / "metrics.json").unlink(missing_ok=True)
        record.parent.mkdir(parents=True, exist_ok=True)
        record.write_text(checksums)


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
