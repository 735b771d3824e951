"""What stage 2 can begin with."""

import pytest
import torch

from lifecode.errors import UserError
from lifecode.models import pretrained
from lifecode.training.two_stages import load_model
from tests.support.small_models import small_model

TEACHER = {"teacher_width": 3}


@pytest.fixture
def trained(tmp_path):
    trained = small_model(0, **TEACHER)
    trained.save_pretrained(tmp_path / "model")
    return trained


def test_a_model_begins_with_every_weight_of_another(trained, tmp_path):
    begun = small_model(1, **TEACHER)
    load_model(begun, tmp_path / "model")
    for name, weight in begun.state_dict().items():
        assert torch.equal(weight, trained.state_dict()[name]), name


def test_weights_of_half_precision_are_begun_with_in_full(trained, tmp_path):
    halves = {name: weight.half() for name, weight in trained.state_dict().items()}
    pretrained.save(trained, trained.config, tmp_path / "half", state=halves)
    begun = small_model(1, **TEACHER)
    load_model(begun, tmp_path / "half")
    assert {weight.dtype for weight in begun.state_dict().values()} == {torch.float32}
    for name, weight in begun.state_dict().items():
        assert torch.equal(weight, halves[name].float()), name


@pytest.mark.parametrize("teacher_width", [5, None])
def test_the_decoder_for_another_teacher_stays(trained, tmp_path, teacher_width):
    begun, untouched = (small_model(1, teacher_width=teacher_width) for _ in range(2))
    load_model(begun, tmp_path / "model")
    for name, weight in begun.state_dict().items():
        expected = untouched if name.startswith("protein_decoder") else trained
        assert torch.equal(weight, expected.state_dict()[name]), name


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"hybrid_ratio": "2:0"}, "the model was trained with hybrid_ratio '1:1', the model has '2:0'"),
        ({"strands": "rc"}, "strands 'paper'"),
        ({"codec": {"conv_channels": 16}}, "tokenizer of the model was trained with conv_channels 8"),
    ],
)
def test_a_model_of_another_shape_is_refused(trained, tmp_path, changes, words):
    with pytest.raises(UserError, match=words):
        load_model(small_model(1, **{**TEACHER, **changes}), tmp_path / "model")
