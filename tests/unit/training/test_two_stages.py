"""What stage 2 can begin with."""

import pytest
import torch

from lifecode.errors import UserError
from lifecode.models import CodonCodec, LifeCode, pretrained
from lifecode.training.two_stages import load_model

SHAPE = {"width": 32, "depth": 2, "hybrid_ratio": "1:1", "num_heads": 2, "attention_head_dim": 16}


def model(seed, teacher_width=3, conv_channels=8, **changes) -> LifeCode:
    torch.manual_seed(seed)
    codec = CodonCodec(nucleotide_dim=16, conv_channels=conv_channels, num_heads=2, translator_hidden=16)
    return LifeCode(codec=codec, teacher_width=teacher_width, **{**SHAPE, **changes})


@pytest.fixture
def trained(tmp_path):
    trained = model(0)
    trained.save_pretrained(tmp_path / "model")
    return trained


def test_a_model_begins_with_every_weight_of_another(trained, tmp_path):
    begun = model(1)
    load_model(begun, tmp_path / "model")
    for name, weight in begun.state_dict().items():
        assert torch.equal(weight, trained.state_dict()[name]), name


def test_weights_of_half_precision_are_begun_with_in_full(trained, tmp_path):
    halves = {name: weight.half() for name, weight in trained.state_dict().items()}
    pretrained.save(trained, trained.config, tmp_path / "half", state=halves)
    begun = model(1)
    load_model(begun, tmp_path / "half")
    assert {weight.dtype for weight in begun.state_dict().values()} == {torch.float32}
    for name, weight in begun.state_dict().items():
        assert torch.equal(weight, halves[name].float()), name


@pytest.mark.parametrize("teacher_width", [5, None])
def test_the_decoder_for_another_teacher_stays(trained, tmp_path, teacher_width):
    begun, untouched = model(1, teacher_width), model(1, teacher_width)
    load_model(begun, tmp_path / "model")
    for name, weight in begun.state_dict().items():
        expected = untouched if name.startswith("protein_decoder") else trained
        assert torch.equal(weight, expected.state_dict()[name]), name


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"hybrid_ratio": "2:0"}, "the model was trained with hybrid_ratio '1:1', the model has '2:0'"),
        ({"strands": "rc"}, "strands 'paper'"),
        ({"conv_channels": 16}, "tokenizer of the model was trained with conv_channels 8"),
    ],
)
def test_a_model_of_another_shape_is_refused(trained, tmp_path, changes, words):
    with pytest.raises(UserError, match=words):
        load_model(model(1, **changes), tmp_path / "model")
