"""Kinds of layer: how a stack names them, and a new one that is nothing but its own file and a config."""

import json

import pytest
import torch
from torch import nn

import lifecode
from lifecode.app.main import main
from lifecode.errors import UserError
from lifecode.models import CodonCodec, LifeCode
from lifecode.models.layers import mixers
from lifecode.models.layers.gated_deltanet import GatedDeltaNet
from lifecode.models.layers.mixers import Mixer, layer_kinds, mixers_of, register_mixer, streaming_share
from lifecode.models.parts import parameters_by_part
from lifecode.objectives import LogSum
from lifecode.report.run.census import model_parts
from lifecode.training.stages.encoder_stage import EncoderStage
from lifecode.training.stages.optimizer import OptimizerRecipe
from lifecode.training.trainer import TrainerSettings, train_stage
from tests.support.corpus_batches import data_module

STACK = ["gdn", "segment_mean"]


@register_mixer("segment_mean", letter="S", label="mean")
class SegmentMean(Mixer):
    def __init__(self, width: int, share: float = 1.0) -> None:
        super().__init__()
        self.share, self.proj = share, nn.Linear(width, width, bias=False)

    def forward(self, x, cu_seqlens):
        segments = self.proj(x).split(cu_seqlens.diff().tolist())
        return self.share * torch.cat([segment.mean(0).expand_as(segment) for segment in segments])

    def mixing_flops(self, positions, pairs):
        return 0.0

    def kept_bytes(self, low):
        return self.proj.in_features * low


def new_model(**changes) -> LifeCode:
    codec = CodonCodec(nucleotide_dim=16, conv_channels=8, num_heads=2, translator_hidden=16)
    shape = {"width": 32, "depth": 2, "num_heads": 2, "attention_head_dim": 16, "mixers": STACK}
    return LifeCode(codec=codec, **{**shape, **changes})


def test_what_a_stack_is_made_of():
    assert layer_kinds("GGSA", 8) == ["gdn", "gdn", "segment_mean", "mhsa"] * 2
    assert layer_kinds(STACK, 2) == STACK
    assert (streaming_share("GGGA"), streaming_share("1:1"), streaming_share("S")) == (0.75, 0.5, 0.0)
    assert mixers_of(new_model(depth=4, mixers="GSSA").encoder) == "1 GDN, 2 mean, 1 MHSA"
    assert new_model(depth=4, mixers="GS").config["mixers"] == STACK * 2


@pytest.mark.parametrize(
    ("stack", "depth", "said"),
    [
        ("GGGA", 6, "6 layers is no multiple of the 4 of GGGA"),
        (["gdn"], 2, "1 mixers are named for a depth of 2"),
        ("GX", 2, "no mixer 'X' is registered"),
        (["gdn", "mamba"], 2, "no mixer 'mamba' is registered"),
        ("gdn", 2, "is no ratio of"),
    ],
)
def test_a_stack_that_cannot_be_built(stack, depth, said):
    with pytest.raises(UserError, match=said) as error:
        layer_kinds(stack, depth)
    assert error.value.source == "model.mixers"
    if "registered" in said:
        assert "gdn (G), mhsa (A), segment_mean (S)" in error.value.remedy


def test_names_and_letters_are_of_one_kind_each():
    assert register_mixer("segment_mean", letter="S")(SegmentMean) is SegmentMean  # a module imported again
    SegmentMean.label = "mean"
    for name, letter in (("gdn", "Z"), ("other", "G"), ("Other", "Z"), ("other", "zz")):
        with pytest.raises(UserError, match=r"GatedDeltaNet is|do not name"):
            register_mixer(name, letter=letter)(type("Other", (SegmentMean,), {}))
    with pytest.raises(UserError, match="has no mixing_flops"):
        register_mixer("other", letter="Z")(type("Other", (Mixer,), {"forward": SegmentMean.forward}))


def test_a_kind_of_its_own_is_trained_saved_loaded_planned_and_reported(
    small_corpus, tmp_path, monkeypatch, capsys
):
    torch.manual_seed(0)
    model = new_model(mixer_options={"segment_mean": {"share": 0.5}})
    before = model.encoder.layers[1].mixer.proj.weight.detach().clone()
    recipe = OptimizerRecipe(lr=1e-2, total_steps=1)
    stage = EncoderStage(model, objective=LogSum(), optimizer=recipe)
    settings = TrainerSettings(accelerator="cpu")
    assert train_stage(stage, data_module(small_corpus), settings, tmp_path / "run", []) == 1
    assert not torch.equal(model.encoder.layers[1].mixer.proj.weight, before)

    folder = tmp_path / "model"
    model.save_pretrained(folder)
    config = json.loads((folder / "config.json").read_text())
    assert (config["mixers"], config["mixer_options"]) == (STACK, {"segment_mean": {"share": 0.5}})
    again = lifecode.load(folder)
    assert again.encoder.layers[1].mixer.share == 0.5
    assert torch.equal(again.embed("ACGTTGCAA"), model.eval().embed("ACGTTGCAA"))

    monkeypatch.chdir(tmp_path)
    stack = [
        "model.depth=2",
        "model.mixers=[gdn,segment_mean]",
        "model.mixer_options={segment_mean:{share:2}}",
    ]
    assert main(["train", "model=tiny", *stack, "plan=true"]) == 0
    assert "encoder layers (1 GDN, 1 mean)" in capsys.readouterr().out
    parts = model_parts({"parts": parameters_by_part(model), "layers": mixers_of(model.encoder)})
    assert "encoder layers (1 GDN, 1 mean)" in [part.label for part in parts]

    monkeypatch.delitem(mixers._REGISTERED, "segment_mean")
    monkeypatch.delitem(mixers._NAME_OF_LETTER, "S")
    with pytest.raises(UserError, match="no mixer 'segment_mean' is registered") as error:
        lifecode.load(folder)
    assert "Registered are gdn (G), mhsa (A)" in error.value.remedy


def test_an_option_that_a_kind_does_not_take():
    with pytest.raises(UserError, match="segment_mean takes no 'window'"):
        new_model(mixer_options={"segment_mean": {"window": 2}})
    with pytest.raises(UserError, match="no mixer 'segmentmean' is registered"):
        new_model(mixer_options={"segmentmean": {}})


@pytest.mark.parametrize("width", [1, 3, 6])
@torch.no_grad()
def test_the_width_of_the_short_convolution(width):
    """As a key of the model and its codec, and in what a layer carries from one stretch to the next."""
    model = new_model(mixers="G", short_conv_width=width)
    assert model.encoder.layers[0].mixer.q_conv1d.weight.shape[2] == width
    torch.manual_seed(0)
    layer = GatedDeltaNet(width=16, num_heads=2, key_dim=8, value_dim=8, short_conv_width=width)
    x = torch.randn(20, 16)
    for reverse, stretches in ((False, (x[:7], x[7:])), (True, (x[7:], x[:7]))):
        whole, _ = layer.read_on(x, layer.blank_memory(), reverse=reverse)
        first, memory = layer.read_on(stretches[0], layer.blank_memory(), reverse=reverse)
        second, _ = layer.read_on(stretches[1], memory, reverse=reverse)
        parts = (second, first) if reverse else (first, second)
        torch.testing.assert_close(torch.cat(parts), whole, atol=1e-5, rtol=1e-5)


@torch.no_grad()
def test_a_strength_of_two_changes_the_sign_of_what_stood_at_a_key():
    """One key written twice, without decay: v2 alone is left by a strength of 1, 2 v2 - 2 v1 by one of 2."""
    both = {}
    for negative in (False, True):
        layer = GatedDeltaNet(width=4, num_heads=1, key_dim=1, value_dim=1, negative_eigenvalues=negative)
        layer.b_proj.weight.fill_(100.0)  # strengths of 1, or 2
        layer.A_log.fill_(-100.0)  # no decay
        for name, projection in (("k", layer.k_proj), ("q", layer.q_proj)):
            projection.weight.fill_(1.0)
            getattr(layer, f"{name}_conv1d").weight.copy_(torch.tensor([[[0.0, 0.0, 0.0, 1.0]]]))
        layer.v_proj.weight.copy_(torch.tensor([[0.0, 0.0, 0.0, 1.0]]))
        layer.v_conv1d.weight.copy_(torch.tensor([[[0.0, 0.0, 0.0, 1.0]]]))
        x = torch.tensor([[1.0, 1.0, 1.0, 1.0], [1.0, 1.0, 1.0, 2.0]])
        both[negative] = layer.read_on(x, layer.blank_memory())[0].flatten()
    first, second = torch.nn.functional.silu(torch.tensor([1.0, 2.0]))
    torch.testing.assert_close(both[False], torch.stack([first, second]))
    torch.testing.assert_close(both[True], torch.stack([2 * first, 2 * second - 2 * first]))
    options = {"gdn": {"negative_eigenvalues": True}}
    assert new_model(mixers="G", mixer_options=options).encoder.layers[0].mixer.negative_eigenvalues
