"""A plain Lightning Trainer with our modules, our data and our callbacks, as its users know it."""

import json
from itertools import islice

import pytest
import torch
from lightning import LightningModule, Trainer
from lightning.pytorch.callbacks import (
    EarlyStopping,
    LearningRateMonitor,
    ModelCheckpoint,
    OnExceptionCheckpoint,
)
from lightning.pytorch.loggers import Logger
from torch import nn

from lifecode.alphabet import MASK
from lifecode.data.batches.batch_shape import BatchShape
from lifecode.data.batches.masking import Masking
from lifecode.data.batches.mixture import Mixture
from lifecode.errors import UserError
from lifecode.evaluation.metrics import OF_THE_MACHINE
from lifecode.objectives import DistillationLoss, LogSum, MaxNorm, WeightedSum, WeightedTasks
from lifecode.training.callbacks.checkpoints import Checkpoints
from lifecode.training.callbacks.efficiency import Efficiency
from lifecode.training.callbacks.progress import TrainingProgress
from lifecode.training.run.checkpoint_file import DurableCheckpointIO, latest_checkpoint
from lifecode.training.stages.encoder_stage import EncoderStage
from lifecode.training.stages.hyperparameters import as_plain_data, from_plain_data
from lifecode.training.stages.tokenizer_stage import TokenizerStage
from tests.support.corpus_batches import RandomFeatures, data_module
from tests.support.stages import encoder_stage, tokenizer_stage

ONE_ROW = BatchShape(max_codons=60, rows=1)
HALF_DNA = Mixture(cds=0.5, dna=0.5)


class Recorder(Logger):
    """Keeps what it is given."""

    name, version = "recorder", ""

    def __init__(self) -> None:
        super().__init__()
        self.rows: list[tuple[int | None, dict[str, float]]] = []

    def log_metrics(self, metrics, step=None):
        self.rows.append((step, metrics))

    def log_hyperparams(self, params, *args, **kwargs):
        pass

    def steps_of(self, name: str) -> list[int | None]:
        return [step for step, metrics in self.rows if name in metrics]


def trainer(folder, steps: int, **settings) -> Trainer:
    quiet = {
        "logger": False,
        "enable_checkpointing": any(
            isinstance(x, ModelCheckpoint | Checkpoints) for x in settings.get("callbacks", [])
        ),
        "enable_progress_bar": False,
        "enable_model_summary": False,
        "num_sanity_val_steps": 0,
        "check_val_every_n_epoch": None,
        "val_check_interval": 3,
        "log_every_n_steps": 1,
    }
    return Trainer(max_steps=steps, accelerator="cpu", default_root_dir=folder, **{**quiet, **settings})


def test_callbacks_bars_and_loggers_see_what_a_stage_logs(small_corpus, tmp_path):
    data = data_module(small_corpus, shape=ONE_ROW, mixture=HALF_DNA)
    steps = [step.micro_batches for step in islice(data.train_dataloader(), 8)]
    coding = [i for i, batches in enumerate(steps) if any((b.codon_labels >= 0).any() for b in batches)]
    assert 0 < len(coding) < 8, "of the steps some must lack a task"
    recorder = Recorder()
    run = trainer(tmp_path, 8, logger=recorder, callbacks=[LearningRateMonitor()])
    run.fit(tokenizer_stage(), datamodule=data)
    assert recorder.steps_of("tokenizer/train/mlm") == list(range(8))
    assert recorder.steps_of("tokenizer/train/translation") == coding  # and no last value elsewhere
    assert recorder.steps_of("tokenizer/validation/mlm") == [2, 5]
    assert recorder.steps_of("lr-AdamW/pg1") == list(range(8))
    (last,) = (row for step, row in recorder.rows if step == 7 and "tokenizer/train/mlm" in row)
    for name, value in last.items():
        assert float(run.callback_metrics[name]) == pytest.approx(value)
        assert float(run.logged_metrics[name]) == pytest.approx(value)
    assert {"tokenizer/train/translation", "tokenizer/validation/mlm"} <= set(run.callback_metrics)
    assert set(run.progress_bar_metrics) == {"tokenizer/train/mlm", "tokenizer/train/translation"}


def test_lightnings_own_callbacks_monitor_figures_of_training_and_validation(small_corpus, tmp_path):
    monitor = "tokenizer/validation/mlm"
    best = ModelCheckpoint(tmp_path / "best", monitor=monitor)
    newest = ModelCheckpoint(tmp_path / "train", monitor="tokenizer/train/mlm", every_n_train_steps=2)
    stop = EarlyStopping(monitor, min_delta=1e6, patience=1)
    run = trainer(tmp_path, 100, callbacks=[best, newest, stop], plugins=[DurableCheckpointIO()])
    stage = tokenizer_stage()
    run.fit(stage, datamodule=data_module(small_corpus, shape=ONE_ROW))
    assert run.global_step == 6
    assert float(best.best_model_score) < float(stop.best_score) + 1e6
    assert newest.best_model_path.endswith(".ckpt")
    files = sorted(path.name for path in (tmp_path / "best").iterdir())
    assert len(files) == 2, "one checkpoint and its checksum, those of the worse deleted"
    again = TokenizerStage.load_from_checkpoint(best.best_model_path)
    assert again.hparams == stage.hparams
    assert all(torch.equal(x, stage.state_dict()[name]) for name, x in again.state_dict().items())


def test_a_stage_is_made_again_from_its_checkpoint_alone(small_corpus, tmp_path):
    stage = encoder_stage(LogSum(0.1, "lagged"), freeze_tokenizer=True, task_gradients_every_steps=7)
    run = trainer(tmp_path, 1)
    run.fit(stage, datamodule=data_module(small_corpus, features=RandomFeatures()))
    run.save_checkpoint(tmp_path / "stage.ckpt")
    assert torch.load(tmp_path / "stage.ckpt", weights_only=True)["hyper_parameters"]["stage"] == "encoder"
    again = EncoderStage.load_from_checkpoint(tmp_path / "stage.ckpt")
    state = stage.state_dict()
    assert state.keys() == again.state_dict().keys()
    assert all(torch.equal(x, state[name]) for name, x in again.state_dict().items())
    assert again.objective.config == {"eps": 0.1, "weights": "lagged"}
    assert again.objective.state_dict() == stage.objective.state_dict() != {}
    assert again.optimizer_recipe == stage.optimizer_recipe
    assert again.model.config == stage.model.config
    assert again.distillation.config == stage.distillation.config
    trained = [{name for name, p in x.named_parameters() if p.requires_grad} for x in (stage, again)]
    assert trained[0] == trained[1]
    assert again.task_gradients_every_steps == 7


@pytest.mark.parametrize(
    "value",
    [
        LogSum(),
        LogSum(0.1, "lagged"),
        MaxNorm(0.2),
        WeightedSum(translation=3),
        DistillationLoss(width=3, mode="paper"),
    ],
)
def test_plain_data_holds_every_argument(value):
    name = "distillation" if isinstance(value, DistillationLoss) else "objective"
    plain = as_plain_data({name: value})
    assert json.loads(json.dumps(plain)) == plain
    again = from_plain_data(plain)[name]
    assert type(again) is type(value)
    assert again.config == value.config
    assert {k: v for k, v in vars(again).items() if not k.startswith("_")} == {
        k: v for k, v in vars(value).items() if not k.startswith("_")
    }


class OwnObjective(LogSum):
    """Not one of ours."""


def test_what_no_stage_can_be_made_from(small_corpus, tmp_path):
    path = tmp_path / "stage.ckpt"
    run = trainer(tmp_path, 1)
    run.fit(tokenizer_stage(OwnObjective()), datamodule=data_module(small_corpus))
    run.save_checkpoint(path)
    with pytest.raises(UserError, match=r"'OwnObjective' is none of LogSum.*objective=\.\.\."):
        TokenizerStage.load_from_checkpoint(path)
    own = OwnObjective()
    assert type(TokenizerStage.load_from_checkpoint(path, objective=own).objective) is OwnObjective
    with pytest.raises(UserError, match=r"stage\.ckpt: holds .* stage tokenizer, and encoder is asked for"):
        EncoderStage.load_from_checkpoint(path)
    torch.save({"state_dict": {}}, path)
    with pytest.raises(UserError, match="of no stage"):
        TokenizerStage.load_from_checkpoint(path)
    torch.save({"state_dict": {}, "code": OwnObjective()}, path)
    with pytest.raises(UserError, match="more than tensors and numbers"):
        TokenizerStage.load_from_checkpoint(path)
    with pytest.raises(UserError, match="cannot be read"):
        TokenizerStage.load_from_checkpoint(tmp_path / "nowhere.ckpt")


def test_validate_test_and_predict(small_corpus, tmp_path):
    stage, data = encoder_stage(), data_module(small_corpus, features=RandomFeatures())
    run = trainer(tmp_path, 1, logger=Recorder())
    for split, evaluate, loader in (
        ("validation", run.validate, data.val_dataloader()),
        ("test", run.test, data.test_dataloader()),
    ):
        (figures,) = evaluate(stage, datamodule=data, verbose=False)
        with torch.no_grad():
            losses = [stage.losses(batch) for step in loader for batch in step]
        for name in ("mlm", "translation", "distillation"):
            total = sum(float(x.tasks[name].total) for x in losses)
            count = sum(float(x.tasks[name].count) for x in losses)
            expected = {f"encoder/{split}/{name}": pytest.approx(total / count, rel=1e-4)} if count else {}
            assert {key: x for key, x in figures.items() if key.endswith(f"/{name}")} == expected
        assert f"encoder/{split}/masked_codon_cross_entropy" in figures
    for module, width in ((stage, stage.model.width), (tokenizer_stage(), stage.model.codec.codon_dim)):
        predicted = run.predict(module, datamodule=data)
        batches = [batch for step in data.predict_dataloader() for batch in step]
        assert [x.shape for step in predicted for x in step] == [(len(b.ids) // 3, width) for b in batches]
        assert all(bool(torch.isfinite(x).all()) for step in predicted for x in step)
    assert not any((batch.ids == MASK).any() for batch in batches)


@pytest.mark.parametrize(
    ("precision", "dtype", "agreement"),
    [("64-true", torch.float64, 1e-5), ("bf16-true", torch.bfloat16, 0.02)],
)
def test_a_stage_in_true_precisions(small_corpus, tmp_path, precision, dtype, agreement):
    figures = []
    for own in ("32-true", precision):
        run, stage = trainer(tmp_path, 3, precision=own), encoder_stage()
        run.fit(stage, datamodule=data_module(small_corpus, features=RandomFeatures()))
        figures.append({name: float(x) for name, x in run.callback_metrics.items() if "gradient" not in name})
    assert figures[1] == pytest.approx(figures[0], rel=agreement)
    assert {p.dtype for p in stage.model.parameters()} == {dtype}


def test_loaders_without_their_data_module(small_corpus, tmp_path):
    figures = []
    for as_module in (True, False):
        data, run, stage = data_module(small_corpus, shape=ONE_ROW), trainer(tmp_path, 3), tokenizer_stage()
        loaders = (data.train_dataloader(), data.val_dataloader())
        run.fit(stage, datamodule=data) if as_module else run.fit(stage, *loaders)
        figures.append({name: float(x) for name, x in run.callback_metrics.items()})
    assert figures[0] == figures[1] != {}
    assert run.predict(stage, data.predict_dataloader())[0][0].shape[1] == stage.codec.codon_dim


@pytest.mark.parametrize("make", [encoder_stage, tokenizer_stage])
def test_fast_dev_run(small_corpus, tmp_path, make):
    data = data_module(small_corpus, features=RandomFeatures())
    callbacks = [TrainingProgress("x"), Checkpoints(tmp_path / "none", every_steps=1)]
    run = Trainer(fast_dev_run=2, accelerator="cpu", callbacks=callbacks, enable_model_summary=False)
    run.fit(make(), datamodule=data)
    assert run.global_step == 2
    assert list(tmp_path.iterdir()) == []


class Stranger(LightningModule):
    """A module of somebody else under automatic optimization; it keeps what it is trained on."""

    def __init__(self, fails_at: int | None = None) -> None:
        super().__init__()
        self.embedding, self.fails_at = nn.Embedding(16, 4), fails_at
        self.heard: list[bytes] = []

    def training_step(self, batch, batch_idx):
        if len(self.heard) == self.fails_at:
            raise RuntimeError("no more")
        self.heard.append(batch[0].ids.numpy().tobytes())
        return self.embedding(batch[0].ids.int()).square().mean()

    def configure_optimizers(self):
        return torch.optim.SGD(self.parameters(), lr=0.1)


def test_gradient_accumulation_of_a_strangers_module_goes_on_where_it_stopped(small_corpus, tmp_path):
    whole = Stranger()
    trainer(tmp_path, 4, accumulate_grad_batches=2).fit(whole, datamodule=data_module(small_corpus))
    assert len(whole.heard) == 8
    first, saved = Stranger(), ModelCheckpoint(tmp_path, every_n_train_steps=1, save_top_k=-1)
    run = trainer(tmp_path, 3, accumulate_grad_batches=2, callbacks=[saved])
    run.fit(first, datamodule=data_module(small_corpus, num_workers=1))
    second = Stranger()
    run = trainer(tmp_path, 4, accumulate_grad_batches=2)
    path = str(tmp_path / "epoch=0-step=2.ckpt")
    run.fit(second, datamodule=data_module(small_corpus), ckpt_path=path, weights_only=True)
    assert first.heard[:4] + second.heard == whole.heard
    assert torch.equal(second.embedding.weight, whole.embedding.weight) or first.heard == whole.heard[:6]


def test_a_checkpoint_within_a_step_begins_with_that_step(small_corpus, tmp_path):
    module = Stranger(fails_at=3)
    run = trainer(tmp_path, 9, callbacks=[OnExceptionCheckpoint(tmp_path)], enable_checkpointing=True)
    with pytest.raises(RuntimeError, match="no more"):
        run.fit(module, datamodule=data_module(small_corpus))
    (path,) = tmp_path.glob("*.ckpt")
    assert torch.load(path, weights_only=True)["CorpusDataModule"]["step"] == 3


@pytest.mark.parametrize("name", ["progress", "efficiency", "checkpoints"])
def test_each_of_our_callbacks_works_alone(small_corpus, tmp_path, capsys, name):
    data, recorder = data_module(small_corpus, shape=ONE_ROW), Recorder()
    folder = tmp_path / "checkpoints"
    callback = {
        "progress": TrainingProgress("alone", every_seconds=0),
        "efficiency": Efficiency(ONE_ROW, Masking()),
        "checkpoints": Checkpoints(folder, every_steps=2, keep=3),
    }[name]
    # Without val_check_interval the endless epoch is never validated.
    settings = {
        "val_check_interval": None,
        "check_val_every_n_epoch": 1,
        "plugins": [DurableCheckpointIO()],
        "logger": recorder,
    }
    run = trainer(tmp_path, 9, callbacks=[callback], **settings)
    run.fit(tokenizer_stage(), datamodule=data)
    if name == "progress":
        lines = capsys.readouterr().out.splitlines()
        assert len(lines) == 9
        assert lines[-1].startswith("alone step 9/9  mlm ")
        assert "nt/s" not in lines[-1]
    elif name == "efficiency":
        for figure in (*(name for name in OF_THE_MACHINE if "letters" not in name), "packing_fill"):
            assert recorder.steps_of(f"tokenizer/train/{figure}") == list(range(9))
        assert float(run.callback_metrics["tokenizer/train/nucleotides_per_second"]) > 0
    else:
        assert [path.name for path in sorted(folder.glob("*.ckpt"))] == [
            f"step=000000{step}.ckpt" for step in (6, 8, 9)
        ]
        run.validate(tokenizer_stage(), datamodule=data, verbose=False)
        resumed = trainer(tmp_path, 10, **{**settings, "logger": False})
        resumed.fit(
            tokenizer_stage(), datamodule=data, ckpt_path=latest_checkpoint(folder), weights_only=True
        )
        assert resumed.global_step == 10


def test_progress_shows_a_strangers_bar_and_needs_no_last_step(small_corpus, tmp_path, capsys):
    class Barred(Stranger):
        def training_step(self, batch, batch_idx):
            loss = super().training_step(batch, batch_idx)
            self.log("loss", loss, prog_bar=True, on_epoch=False, batch_size=1)
            return loss

    callback = TrainingProgress("theirs", every_seconds=0)
    run = trainer(tmp_path, -1, max_epochs=1, limit_train_batches=2, callbacks=[callback])
    run.fit(Barred(), datamodule=data_module(small_corpus))
    first, second = capsys.readouterr().out.splitlines()
    assert first.startswith("theirs step 1  loss ")
    assert second.startswith("theirs step 2  loss ")


def test_an_objective_that_fits_no_task_is_refused_before_any_step(small_corpus, tmp_path):
    data = data_module(small_corpus, shape=ONE_ROW)
    for objective, said in (
        (WeightedTasks({"mml": 0.5}), "there is no task 'mml'"),
        (WeightedSum(mlm=0.0, translation=0.0), "learn nothing"),
    ):
        with pytest.raises(UserError, match=said):
            trainer(tmp_path, 1).fit(tokenizer_stage(objective=objective), data)
