"""Values of `lifecode train` of the right type that do not fit: one line, before anything is written."""

import pytest
import torch

from lifecode.app.configs.construct import construct
from lifecode.app.from_python import compose
from lifecode.errors import UserError
from lifecode.verbs.train import train
from lifecode.verbs.train.life_code.start_of_encoder import require_start_of_encoder
from lifecode.verbs.train.life_code.teacher import teach
from lifecode.verbs.train.life_code.train_values import check_values


@pytest.mark.parametrize(
    ("value", "said"),
    [
        ("optim.encoder.beta1=2", r"optim\.encoder: beta1 2\.0 .* \[0, 1\)"),
        ("optim.encoder.weight_decay=-1", r"optim\.encoder: .*weight_decay -1"),
        ("optim.tokenizer.clip_norm=-1", r"optim\.tokenizer: .*clip_norm -1"),
        ("optim.tokenizer.clip_norm=0", r"optim\.tokenizer: .*clip_norm 0"),
        ("optim.encoder.min_lr=1", r"optim\.encoder: min_lr 1"),
        ("model.init_std=inf", r"model\.init_std: is inf, expected a finite number"),
        ("model.codec.layer_scale=-inf", r"model\.codec\.layer_scale: is -inf, expected a finite number"),
        ("heldout.mask_fraction=0", r"heldout: mask_fraction 0\.0"),
        ("heldout.passes=0", "heldout: passes"),
        ("heldout.max_genes=0", "heldout: .*max_genes"),
        ("seed=-1", "seed: is -1"),
        ("seed=5000000000", "seed: is 5000000000"),
        ("data.validation_steps=-1", r"data\.validation_steps: is -1"),
        ("data.max_unknown_fraction=2", r"data\.max_unknown_fraction: is 2"),
        ("data.batch_seed=-1", r"data\.batch_seed: is -1"),
        ("data.reverse_complement=1", r"data\.reverse_complement: is 1"),
        ("objective.freeze_tokenizer=no_thanks", r"objective\.freeze_tokenizer: is 'no_thanks'"),
        ("objective.freeze_readout=2", r"objective\.freeze_readout: is 2"),
        (
            "callbacks=early_stopping trainer.max_steps=9",
            r"stopping\.monitor: .* before its first validation",
        ),
        (
            "callbacks=early_stopping trainer.callbacks.early_stopping.monitor=encoder/validation/x",
            r"early_stopping\.monitor: is encoder/validation/x, which is no figure of validation",
        ),
        ("objective.task_gradients_every_steps=-5", r"objective\.task_gradients_every_steps: is -5"),
    ],
)
def test_it_is_found_before_anything_is_written(value, said):
    with pytest.raises(UserError) as error:
        check_values(compose("train", *value.split()))
    assert error.match(said)


def test_gradients_may_be_taken_as_they_are():
    assert construct(compose("train", "optim.encoder.clip_norm=inf").optim.encoder).clip_norm == float("inf")


def test_loader_workers_are_not_negative():
    with pytest.raises(UserError, match=r"trainer\.num_workers: is -1"):
        construct(compose("train", "trainer.num_workers=-1").trainer)


@pytest.mark.parametrize("key", ["max_train_residues", "max_heldout_residues"])
def test_a_teacher_reads_something(key):
    with pytest.raises(UserError, match=rf"teacher\.{key}: is 0"):
        check_values(compose("train", "teacher=near", f"teacher.{key}=0"))


def test_a_teacher_that_no_protein_is_left_to_is_refused(small_corpus, tmp_path):
    values = ("teacher=near", "teacher.max_train_residues=5", "teacher.max_heldout_residues=200")
    with pytest.raises(UserError, match=r"teacher\.max_train_residues: leaves the teacher no"):
        teach(compose("train", *values), small_corpus, tmp_path / "teacher")
    taught = teach(compose("train", *values, "teacher.targets=none"), small_corpus, tmp_path / "teacher")
    assert taught is not None
    assert taught.targets is None


def test_a_gpu_that_is_not_there_is_found_first(tmp_path, monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 0)
    values = ("input=ecoli", "trainer.accelerator=gpu", f"run_dir={tmp_path}/run")
    with pytest.raises(UserError, match="asks for 1 GPUs, and this machine has 0"):
        train.run(compose("train", *values))
    assert not (tmp_path / "run").exists()


def test_a_stage_that_would_learn_nothing_is_not_planned():
    nothing = ("objective/joint=weighted_sum", "objective.joint.mlm=0", "objective.joint.translation=0")
    with pytest.raises(UserError, match=r"objective\.joint: gives no weight to any task of this stage"):
        train.run(compose("train", "plan=true", *nothing))


def test_a_tokenizer_for_stage_2_is_not_for_stage_1(tmp_path):
    config = compose("train", "stage=tokenizer", f"tokenizer_checkpoint={tmp_path}")
    with pytest.raises(UserError, match=r"tokenizer_checkpoint: .*stage=tokenizer trains a new one"):
        require_start_of_encoder(config, "tokenizer")


@pytest.mark.parametrize("key", ["init_from", "tokenizer_checkpoint"])
def test_a_plan_does_not_begin_with_what_is_not_there(key, tmp_path):
    with pytest.raises(UserError, match="nowhere"):
        train.run(compose("train", "plan=true", f"{key}={tmp_path}/nowhere"))


def test_a_model_of_another_shape_is_refused_before_anything_is_written():
    config = compose("train", "init_from=lifecode-mini", "model=tiny")
    with pytest.raises(UserError, match=r"was trained with .* the model has"):
        require_start_of_encoder(config, "both")
    require_start_of_encoder(compose("train", "init_from=lifecode-mini", "model=mini"), "both")
