"""Tuning: what learns and what stays, the grid, the validation rows, and a kill at any step."""

from dataclasses import replace
from itertools import chain, islice

import numpy as np
import pytest
import torch

from lifecode.errors import UserError
from lifecode.evaluation.metrics import MATTHEWS, SPEARMAN
from lifecode.tasks.examples.labels import Labels
from lifecode.tasks.splits.rounds import Round
from lifecode.tasks.tuning.adapters import target_modules
from lifecode.tasks.tuning.fine_tuning import FineTuning
from lifecode.tasks.tuning.frozen_states import FrozenStates
from lifecode.tasks.tuning.new_network import class_weights
from lifecode.tasks.tuning.rows import rows_of
from lifecode.tasks.tuning.settings import Fit, Lora, TrainedHead, TuningSettings
from lifecode.tasks.tuning.steps import Steps
from lifecode.tasks.tuning.tuner import Tuner
from tests.support.labelled_genes import examples_of_genes
from tests.support.small_models import small_model

EXAMPLES = examples_of_genes(36)
LABELS = Labels("binary", ("high", "low"))
ROUND = Round(3, np.arange(28), np.arange(28, 36), np.arange(28) // 2 % 4)


def tuner(
    tuning,
    *,
    model=None,
    folder=None,
    validation=(),
    examples=EXAMPLES,
    labels=LABELS,
    head=None,
    lora=None,
    **fit,
):
    settings = Fit(**{"batch": 8, "epochs": 2, "checkpoint_every_steps": 2, **fit})
    of_tuning = TuningSettings(
        tuning=tuning, head=head or TrainedHead(frames=0), fit=settings, lora=lora or Lora(rank=2)
    )
    return Tuner(
        model or small_model(),
        of_tuning,
        examples=examples,
        validation=np.array(validation, dtype=np.int64),
        labels=labels,
        molecule="cds",
        metric=SPEARMAN if labels.kind == "regression" else MATTHEWS,
        folder=folder,
    )


@pytest.mark.parametrize("tuning", ["head", "lora", "full"])
def test_only_what_shall_learn_does(tuning):
    model = small_model()
    before = {name: value.clone() for name, value in model.state_dict().items()}
    tuned = tuner(tuning, model=model, lr=1e-2).tuned(ROUND)
    after = {name.replace("base_layer.", ""): x for name, x in tuned.network.model.state_dict().items()}
    changed = {name for name in before if not torch.equal(before[name], after[name])}
    assert (changed == set()) == (tuning != "full")
    read = ("encoder.", "codec.tokenizer.")
    assert all(name.startswith(read) for name in changed)
    assert all(torch.equal(before[name], value) for name, value in model.state_dict().items())
    adapters = {name for name in after if "lora_" in name}
    assert bool(adapters) == (tuning == "lora")
    assert not any("conv" in name for name in adapters)
    if tuning == "lora":
        moved = [name for name in adapters if "lora_B" in name and after[name].abs().sum() > 0]
        assert {name.split(".")[2] for name in moved} == {"0", "1"}


def test_a_metric_that_validation_rows_leave_undefined_is_none():
    of_one_class = np.flatnonzero(EXAMPLES.labels[:28] == EXAMPLES.labels[0])[:4]
    (tried,) = tuner("head", epochs=1, validation=of_one_class).chosen(ROUND).tried
    assert tried["value"] is None
    assert np.isfinite(tried["loss"])


def slow(*values):
    return pytest.param(*values, marks=pytest.mark.slow)


class Killed(BaseException):
    pass


@pytest.mark.parametrize(
    ("tuning", "at", "lr"),
    [("lora", 5, 1e-2), ("head", 8, 1e-30), slow("head", 4, 1e-2), slow("full", 7, 1e-3)],
)
def test_a_run_that_is_killed_goes_on_and_ends_with_the_same_figures(tuning, at, lr, tmp_path, monkeypatch):
    """Of the smallest rate the first epoch is the best, and its weights come out of the checkpoint."""
    settings = {"lr": lr, "epochs": 3, "head": TrainedHead(frames=0, dropout=0.3, pools=["attention"])}
    whole = tuner(tuning, folder=tmp_path / "whole", **settings)
    expected = whole.predictions(ROUND)
    step, steps = FineTuning.training_step, []

    def counted(self, rows, batch_idx):
        steps.append(self.global_step)
        if len(steps) == at:
            raise Killed
        return step(self, rows, batch_idx)

    monkeypatch.setattr(FineTuning, "training_step", counted)
    with pytest.raises(Killed):
        tuner(tuning, folder=tmp_path / "killed", **settings).predictions(ROUND)
    again = tuner(tuning, folder=tmp_path / "killed", **settings)
    np.testing.assert_array_equal(again.predictions(ROUND), expected)
    assert steps[at:][0] == (at - 1) // 2 * 2  # on from the checkpoint, not from the start
    assert again.chosen(ROUND).fit.curve == whole.chosen(ROUND).fit.curve
    steps.clear()
    np.testing.assert_array_equal(
        tuner(tuning, folder=tmp_path / "killed", **settings).predictions(ROUND), expected
    )
    assert steps == []  # what is done is not done again


def test_the_grid_is_chosen_on_validation_rows_alone():
    found = tuner("head", lr=[1e-9, 3e-2], weight_decay=[0.0, 0.1]).chosen(ROUND)
    assert [(point["lr"], point["weight_decay"]) for point in found.tried] == [
        (1e-9, 0.0), (1e-9, 0.1), (3e-2, 0.0), (3e-2, 0.1),
    ]  # fmt: skip
    best = max(found.tried, key=lambda point: (point["value"], -point["loss"]))
    assert found.candidate._asdict().items() <= best.items()
    assert found.fit.judged._asdict().items() <= best.items()
    other = examples_of_genes(36)
    other.labels[28:] = 1 - other.labels[28:]
    again = tuner("head", examples=other, lr=[1e-9, 3e-2], weight_decay=[0.0, 0.1]).chosen(ROUND)
    assert again.tried == found.tried


def test_ranks_of_adapters_are_points_of_the_grid():
    of_lora = tuner("lora", lora=Lora(rank=[1, 2], alpha=[4]), epochs=1)
    tried = of_lora.chosen(ROUND).tried
    assert [(point["rank"], point["alpha"]) for point in tried] == [(1, 4), (2, 4)]
    chosen = of_lora.chosen(ROUND).candidate
    weights = of_lora.tuned(ROUND).network.model.state_dict()
    assert {len(x) for name, x in weights.items() if "lora_A" in name} == {chosen.rank}


def test_rows_of_a_validation_file_judge_and_others_are_carved_in_whole_folds():
    train, validation = tuner("head", validation=range(20, 28)).split(ROUND)
    assert validation.tolist() == list(range(20, 28))
    assert train.tolist() == list(range(20))
    train, validation = tuner("head").split(ROUND)
    assert validation.tolist() == [0, 1, 8, 9, 16, 17, 24, 25]
    assert set(train.tolist()) == set(range(28)) - set(validation.tolist())


def test_it_ends_where_nothing_is_gained_and_keeps_the_best_epoch():
    found = tuner("head", lr=1e-12, epochs=50, patience=2).chosen(ROUND)
    assert len(found.fit.curve) == 3  # the first is the best, two more gain nothing


def test_a_step_does_not_depend_on_how_it_is_cut():
    whole, cut = (tuner("full", max_codons=size).predictions(ROUND) for size in (8192, 30))
    np.testing.assert_allclose(whole, cut, atol=1e-4)


def test_a_frozen_encoder_is_read_once_with_the_same_result(monkeypatch):
    kept = tuner("head", head=TrainedHead(frames="stack", dropout=0)).predictions(ROUND)
    monkeypatch.setattr(FrozenStates, "fit_in_memory", lambda *_: False)
    again = tuner("head", head=TrainedHead(frames="stack", dropout=0)).predictions(ROUND)
    np.testing.assert_allclose(kept, again, atol=1e-4)


def test_class_weights():
    numbers = np.array([0, 0, 0, 1])
    weights = class_weights(Fit(class_weights="balanced"), LABELS, numbers)
    torch.testing.assert_close(weights, torch.tensor([4 / 6, 2.0]))
    alone = class_weights(Fit(class_weights="balanced"), LABELS, 0 * numbers)
    assert alone is not None
    assert alone.isfinite().all()  # also of a class whose examples are all on the validation rows
    given = class_weights(Fit(class_weights={"low": 3.0, "high": 1.0}), LABELS, numbers)
    assert given is not None
    assert given.tolist() == [1.0, 3.0]
    with pytest.raises(UserError, match=r"has no weight of 'high'.* each of high, low"):
        class_weights(Fit(class_weights={"low": 3.0}), LABELS, numbers)
    with pytest.raises(UserError, match="labels are a regression"):
        class_weights(Fit(class_weights="balanced"), Labels("regression"), numbers)
    found = tuner("head", epochs=1, class_weights={"low": 3.0, "high": 1.0}).tuned(ROUND)
    loss = found.network.loss(torch.zeros(3, 2), torch.tensor([0, 1, -100]))
    assert loss.item() == pytest.approx(4 * np.log(2))


def test_values_far_from_zero_are_learnt_like_others():
    """As years in seconds are: float32 holds their differences no more."""
    values = np.random.default_rng(0).normal(size=len(EXAMPLES))
    near, far = (
        tuner("head", examples=replace(EXAMPLES, labels=values + by), labels=Labels("regression"))
        for by in (0.0, 1e10)
    )
    np.testing.assert_allclose(far.predictions(ROUND) - 1e10, near.predictions(ROUND), atol=1e-4)


def test_steps_see_every_example_of_an_epoch_once_and_go_on_anywhere():
    made = {"batch": 8, "seed": 1}
    framing = tuner("head").framing
    steps = Steps(EXAMPLES.sequences, EXAMPLES.labels, np.arange(20), framing, **made)
    first = [[x for row in step for x in row.examples.tolist()] for step in islice(steps, 6)]
    assert sorted(chain(*first[:3])) == sorted(chain(*first[3:])) == list(range(20))
    assert first[:3] != first[3:]
    later = Steps(EXAMPLES.sequences, EXAMPLES.labels, np.arange(20), framing, **made, first=4)
    assert [x for row in next(iter(later)) for x in row.examples.tolist()] == first[4]


def test_targets_are_linear_layers_of_the_stack():
    model = small_model()
    names = target_modules(model, None)
    assert names
    assert all(isinstance(model.get_submodule(name), torch.nn.Linear) for name in names)
    assert {name.rpartition(".")[2] for name in names} == {
        "q_proj", "k_proj", "v_proj", "g_proj", "o_proj", "gate_proj", "up_proj", "down_proj",
    }  # fmt: skip
    with pytest.raises(UserError, match="'q_conv1d' is no linear layer"):
        target_modules(model, ["q_conv1d"])


def test_rows_hold_every_example_once_within_the_budget():
    framing = tuner("head", max_codons=40).framing
    rows = list(rows_of(EXAMPLES.sequences, np.arange(36), framing, EXAMPLES.labels))
    assert sorted(np.concatenate([row.examples for row in rows])) == list(range(36))
    assert max(row.packed.num_codons for row in rows) <= 40
    for row in rows:
        assert row.labels.tolist() == EXAMPLES.labels[row.examples.numpy()].tolist()
