"""A step that is not finite changes nothing but the counts, the schedule and the step's number."""

import copy
import logging

import numpy as np
import pytest
import torch
from lightning import Trainer

from lifecode.data.batches.batch_shape import BatchShape
from lifecode.data.batches.stream import TrainingStream
from lifecode.errors import UserError
from lifecode.training.run.metrics_csv import MetricsCsv
from tests.support.corpus_batches import RandomFeatures, data_module
from tests.support.stages import encoder_stage

SHAPE = BatchShape(max_codons=120, rows=2, rows_at_once=1)
STEPS = 6


class Watched:
    """What a stage was after each step."""

    def __init__(self, stage) -> None:
        self.stage, self.after = stage, []
        self._step = stage.training_step
        stage.training_step = self.step

    def step(self, micro_batches, batch_idx):
        self._step(micro_batches, batch_idx)
        weights = copy.deepcopy({**self.stage.state_dict(), "rate": self.stage.lr_schedulers().get_last_lr()})
        moments = copy.deepcopy(self.stage.optimizers().optimizer.state_dict()["state"])
        self.after.append((weights, moments))


def spoil(stage, steps, name="translation", by=torch.nan):
    """Makes a task's loss NaN or infinite in the second micro-batch of some steps."""
    losses, seen = stage.losses, {}

    def spoilt(batch):
        found = losses(batch)
        seen[stage.global_step] = seen.get(stage.global_step, 0) + 1
        if stage.global_step in steps and seen[stage.global_step] % 2 == 0:
            task = found.tasks[name]
            found = found._replace(tasks={**found.tasks, name: task._replace(total=task.total * by)})
        return found

    stage.losses = spoilt
    return stage


def fit(stage, corpus, folder, *, last=STEPS, ckpt_path=None, features=None):
    watched = Watched(stage)
    metrics = MetricsCsv(folder / "metrics.csv")
    metrics.drop_from("encoder", 3 if ckpt_path else 0)
    data = data_module(corpus, shape=SHAPE, features=features or RandomFeatures())
    trainer = Trainer(
        max_steps=last,
        max_epochs=-1,
        accelerator="cpu",
        logger=metrics,
        log_every_n_steps=1,
        enable_checkpointing=False,
        enable_progress_bar=False,
        enable_model_summary=False,
        limit_val_batches=0,
    )
    trainer.fit(stage, datamodule=data, ckpt_path=ckpt_path, weights_only=True)
    trainer.save_checkpoint(folder / f"{last}.ckpt")
    return watched.after


def same(one, other) -> bool:
    return str(one) == str(other) if not torch.is_tensor(one) else torch.equal(one, other)


def figures(folder, name):
    lines = (line.split(",") for line in (folder / "metrics.csv").read_text().splitlines())
    return {int(line[0]): line[4] for line in lines if line[3] == name}


@pytest.mark.parametrize(
    ("name", "by"),
    [("translation", torch.nan), pytest.param("mlm", torch.inf, marks=pytest.mark.slow)],
)
def test_a_skipped_step_leaves_weights_moments_and_the_teachers_scale(
    small_corpus, tmp_path, caplog, name, by
):
    with caplog.at_level(logging.WARNING):
        after = fit(spoil(encoder_stage(), {2, 3, 5}, name, by), small_corpus, tmp_path)
    for step in (2, 3, 5):
        (weights, moments), (before, moments_before) = after[step], after[step - 1]
        assert all(same(weights[key], before[key]) for key in weights if key != "rate"), step
        assert weights["rate"] != before["rate"]
        assert all(same(moments[p][key], moments_before[p][key]) for p in moments for key in moments[p]), step
    weights, before = after[4][0], after[3][0]
    assert not torch.equal(weights["distillation.centre"], before["distillation.centre"])
    changed = [key for key in weights if key != "rate" and not same(weights[key], before[key])]
    assert any(key.startswith("model.encoder.") for key in changed)
    assert figures(tmp_path, "skipped_steps") == {2: "1", 3: "2", 5: "3"}
    assert [step for step in range(STEPS) if step not in figures(tmp_path, "objective")] == [2, 3, 5]
    assert "nan" not in (tmp_path / "metrics.csv").read_text()
    assert list(figures(tmp_path, "learning_rate")) == list(range(STEPS))
    assert [m for m in caplog.messages if "skipped" in m][1].endswith("(2 skipped so far)")


@pytest.mark.slow
def test_it_goes_on_bit_for_bit_from_between_two_skipped_steps(small_corpus, tmp_path):
    spoilt = {2, 3, 5}
    (tmp_path / "whole").mkdir()
    whole = fit(spoil(encoder_stage(), spoilt), small_corpus, tmp_path / "whole")
    first = fit(spoil(encoder_stage(), spoilt), small_corpus, tmp_path, last=3)
    stage = spoil(encoder_stage(), spoilt)
    second = fit(stage, small_corpus, tmp_path, ckpt_path=tmp_path / "3.ckpt")
    for (weights, moments), (expected, expected_moments) in zip(first + second, whole, strict=True):
        assert all(same(weights[key], expected[key]) for key in expected)
        assert str(moments) == str(expected_moments)
    assert stage.non_finite.skipped == 3
    one, other = ((folder / "metrics.csv").read_text() for folder in (tmp_path, tmp_path / "whole"))
    assert one == other


def test_three_in_a_row_end_the_run_with_finite_weights(small_corpus, tmp_path):
    stage = spoil(encoder_stage(), {1, 3, 4, 5})
    with pytest.raises(UserError, match=r"encoder: the loss of translation is nan and .* at step 5, the 3rd"):
        fit(stage, small_corpus, tmp_path)
    assert all(bool(torch.isfinite(value).all()) for value in stage.state_dict().values())
    assert figures(tmp_path, "skipped_steps") == {1: "1", 3: "2", 4: "3", 5: "4"}


class Recorded(RandomFeatures):
    """Features that note whose they are, and are infinite for one protein."""

    def __init__(self, broken: str | None = None) -> None:
        super().__init__()
        self.broken, self.asked = broken, []

    def get(self, protein):
        found = super().get(protein)
        if found is not None:
            self.asked.append(protein)
        return np.full_like(found, np.inf) if protein == self.broken else found


def test_features_that_are_not_finite_do_not_stay_in_the_teachers_scale(small_corpus, tmp_path):
    recorded = Recorded()
    settings = {**data_module(small_corpus)._stream_settings, "features": recorded}
    seen: list[set[str]] = []
    for _ in TrainingStream(small_corpus, **settings, shape=SHAPE):
        seen.append(set(recorded.asked).difference(*seen))
        if len(list(filter(None, seen))) == 2:  # of two steps that read proteins of the teacher
            break
    stage = encoder_stage()
    fit(stage, small_corpus, tmp_path, last=len(seen), features=Recorded(broken=seen[-1].pop()))
    assert figures(tmp_path, "skipped_steps") == {len(seen) - 1: "1"}
    assert torch.isfinite(stage.distillation.centre).all()
    assert stage.distillation.num_updates >= 1
