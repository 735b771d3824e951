"""Callbacks, profiler and number of checkpoints of a config, and a stage that a callback has ended."""

import csv

import pytest
from lightning.pytorch.callbacks import DeviceStatsMonitor, EarlyStopping, ModelCheckpoint
from lightning.pytorch.profilers import SimpleProfiler

from lifecode.app.configs.construct import construct
from lifecode.app.from_python import compose
from lifecode.errors import UserError
from lifecode.evaluation.metrics import OF_THE_MACHINE
from lifecode.training.configured import callbacks_of_stage
from lifecode.training.run.checkpoint_file import latest_checkpoint
from lifecode.training.stages.tokenizer_stage import TokenizerStage
from lifecode.training.trainer import TrainerSettings, train_stage
from tests.support.corpus_batches import data_module
from tests.support.stages import encoder_stage, tokenizer_stage

STOP = {"stop": EarlyStopping("tokenizer/validation/mlm", min_delta=1e6, patience=1)}


def test_a_stage_gets_copies_of_what_does_not_monitor_the_other():
    named = {
        "stop": EarlyStopping("encoder/validation/masked_codon_cross_entropy"),
        "best": ModelCheckpoint(monitor="tokenizer/train/mlm"),
        "newest": ModelCheckpoint(),
        "stats": DeviceStatsMonitor(),
        "gone": None,
    }
    names = {
        stage.name: [type(x).__name__ for x in callbacks_of_stage(named, stage, is_validated=True)]
        for stage in (tokenizer_stage(), encoder_stage())
    }
    assert names["tokenizer"] == ["ModelCheckpoint", "ModelCheckpoint", "DeviceStatsMonitor"]
    assert names["encoder"] == ["EarlyStopping", "ModelCheckpoint", "DeviceStatsMonitor"]
    assert callbacks_of_stage(named, tokenizer_stage(), is_validated=True)[0] is not named["best"]


@pytest.mark.parametrize(
    ("monitor", "is_validated", "said"),
    [
        (
            "tokenizer/validation/mml",
            True,
            r"trainer\.callbacks\.x\.monitor: .* Monitor tokenizer/validation/mlm, ",
        ),
        ("tokenizer/validation/mlm", False, r"x\.monitor: .* ends before its first validation"),
    ],
)
def test_a_figure_that_there_will_not_be_is_not_waited_for(monitor, is_validated, said):
    with pytest.raises(UserError, match=said):
        callbacks_of_stage({"x": EarlyStopping(monitor)}, tokenizer_stage(), is_validated=is_validated)


@pytest.mark.parametrize(
    ("values", "said"),
    [
        (["trainer.keep_checkpoints=1"], r"trainer\.keep_checkpoints: is 1"),
        (["trainer.limit_val_batches=1.5"], r"trainer\.limit_val_batches: is 1\.5"),
        (["trainer.limit_val_batches=-1"], r"trainer\.limit_val_batches: is -1"),
        (["trainer.deterministic=perhaps"], r"trainer\.deterministic"),
        (["+trainer.callbacks.x.a=1"], r"trainer\.callbacks"),
        (
            ["+trainer.callbacks.x._target_=lightning.pytorch.profilers.SimpleProfiler"],
            r"trainer\.callbacks\.x: is a SimpleProfiler, which is no Lightning callback",
        ),
        (
            ["trainer.profiler={_target_: lightning.pytorch.callbacks.Timer}"],
            r"trainer\.profiler: is a Timer, which is no Lightning profiler",
        ),
        (["callbacks=early_stopping", "trainer.callbacks.early_stopping.patiense=3"], "patiense"),
    ],
)
def test_values_that_do_not_fit(values, said):
    with pytest.raises(Exception, match=said):
        construct(compose("train", *values).trainer)


def test_what_the_groups_make():
    config = compose("train", "callbacks=[early_stopping,best_checkpoint]", "profiler=simple", "run_dir=r")
    settings = construct(config.trainer)
    stop, best = settings.callbacks.values()
    assert (type(stop), stop.patience) == (EarlyStopping, 5)
    assert (type(best), best.save_top_k) == (ModelCheckpoint, 1)
    assert str(best.dirpath).endswith("r/encoder/best")
    assert type(settings.profiler) is SimpleProfiler
    assert construct(compose("train").trainer).callbacks == {}


def train(corpus, folder, max_steps=12, **changes) -> tuple[int, TokenizerStage]:
    settings = {"log_every_steps": 1, "validate_every_steps": 3, "checkpoint_every_steps": 2}
    stage = tokenizer_stage()
    trainer = TrainerSettings(max_steps=max_steps, accelerator="cpu", **{**settings, **changes})
    folder.mkdir(exist_ok=True)
    return train_stage(stage, data_module(corpus), trainer, folder, []), stage


def figures(folder) -> list[list[str]]:
    with (folder / "metrics.csv").open() as file:
        return [row for row in csv.reader(file) if row[3] not in OF_THE_MACHINE]


def checkpoints(folder) -> list[int]:
    return sorted(int(path.stem[5:]) for path in (folder / "tokenizer/checkpoints").glob("*.ckpt"))


def test_a_stage_that_a_callback_has_ended_is_finished(small_corpus, tmp_path, capsys):
    whole, sittings = tmp_path / "whole", tmp_path / "sittings"
    assert train(small_corpus, whole, callbacks=STOP, keep_checkpoints=3)[0] == 6
    assert "tokenizer: a callback ended it after step 6 of 12" in capsys.readouterr().out
    assert checkpoints(whole) == [2, 4, 6]
    # The callback's own count is in the checkpoint: in two sittings it ends where it does in one.
    assert train(small_corpus, sittings, 5, callbacks=STOP)[0] == 5
    assert train(small_corpus, sittings, callbacks=STOP)[0] == 6
    assert figures(sittings) == figures(whole)
    assert checkpoints(sittings) == [5, 6]
    before = figures(whole)
    capsys.readouterr()
    assert train(small_corpus, whole, callbacks=STOP)[0] == 6
    assert "already trained for 6 steps of 12, where a callback ended it" in capsys.readouterr().out
    assert figures(whole) == before
    again = TrainerSettings(callbacks=STOP).is_last(latest_checkpoint(whole / "tokenizer/checkpoints"), 100)
    assert again
    assert train(small_corpus, whole)[0] == 12, "without the callback it goes on"
    assert [row[0] for row in figures(whole) if row[3] == "objective"] == [str(step) for step in range(12)]


def test_the_best_checkpoint_and_a_profile_beside_the_newest(small_corpus, tmp_path):
    best = ModelCheckpoint(tmp_path / "best", filename="best-{step}", monitor="tokenizer/validation/mlm")
    train(small_corpus, tmp_path, 7, callbacks={"best": best}, profiler=SimpleProfiler(), limit_val_batches=1)
    (path,) = (tmp_path / "best").glob("*.ckpt")
    assert (tmp_path / "best" / f"{path.name}.sha256").is_file()
    assert TokenizerStage.load_from_checkpoint(path).hparams["objective"]["name"] == "LogSum"
    assert checkpoints(tmp_path) == [6, 7]
    assert "run_training_batch" in (tmp_path / "profile/tokenizer/fit-profile.txt").read_text()
