"""Values of `lifecode train` of the right type that do not fit: one line, before anything is written."""

import pytest

from lifecode.commands import train
from lifecode.commands.construct import construct
from lifecode.commands.from_python import compose
from lifecode.commands.start_of_encoder import require_start_of_encoder
from lifecode.commands.teacher import check_teacher
from lifecode.commands.train_values import check_values
from lifecode.errors import UserError


@pytest.mark.parametrize(
    ("value", "said"),
    [
        ("optim.encoder.beta1=2", r"optim\.encoder: beta1 2\.0 .* \[0, 1\)"),
        ("optim.encoder.weight_decay=-1", r"optim\.encoder: .*weight_decay -1"),
        ("optim.tokenizer.clip_norm=-1", r"optim\.tokenizer: .*clip_norm -1"),
        ("optim.tokenizer.clip_norm=0", r"optim\.tokenizer: .*clip_norm 0"),
        ("optim.encoder.min_lr=1", r"optim\.encoder: min_lr 1"),
        ("heldout.mask_fraction=0", r"heldout: mask_fraction 0\.0"),
        ("heldout.passes=0", "heldout: passes"),
        ("heldout.max_genes=0", "heldout: .*max_genes"),
        ("data.validation_steps=-1", r"data\.validation_steps: is -1"),
        ("data.max_unknown_fraction=2", r"data\.max_unknown_fraction: is 2"),
        ("data.reverse_complement=1", r"data\.reverse_complement: is 1"),
        ("objective.freeze_tokenizer=no_thanks", r"objective\.freeze_tokenizer: is 'no_thanks'"),
        ("objective.freeze_readout=2", r"objective\.freeze_readout: is 2"),
        ("objective.task_gradients_every_steps=-5", r"objective\.task_gradients_every_steps: is -5"),
    ],
)
def test_it_is_found_before_anything_is_written(value, said):
    with pytest.raises(UserError) as error:
        check_values(compose("train", value))
    assert error.match(said)


def test_loader_workers_are_not_negative():
    with pytest.raises(UserError, match=r"trainer\.num_workers: is -1"):
        construct(compose("train", "trainer.num_workers=-1").trainer)


@pytest.mark.parametrize("key", ["max_train_residues", "max_heldout_residues"])
def test_a_teacher_reads_something(key):
    with pytest.raises(UserError, match=rf"teacher\.{key}: is 0"):
        check_teacher(compose("train", "teacher=near", f"teacher.{key}=0"))


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
