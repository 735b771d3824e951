"""The layer against transformers' Qwen3-Next mixer with the same weights: output and all gradients."""

import inspect

import pytest
import torch
from transformers.models.qwen3_next import modeling_qwen3_next
from transformers.models.qwen3_next.configuration_qwen3_next import Qwen3NextConfig
from transformers.models.qwen3_next.modeling_qwen3_next import Qwen3NextGatedDeltaNet

from lifecode.models.layers.gated_deltanet import GatedDeltaNet
from tests.support.rounding import assert_equal_but_for_rounding, sensitivity

WIDTH, HEADS, KEY, VALUE = 32, 2, 8, 16


@pytest.fixture(autouse=True)
def transformers_in_torch(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where flash-linear-attention is installed, transformers calls its kernels in place of its own."""
    name = "torch_chunk_gated_delta_rule"
    monkeypatch.setattr(modeling_qwen3_next, name, inspect.unwrap(getattr(modeling_qwen3_next, name)))


@pytest.fixture
def layer() -> GatedDeltaNet:
    torch.manual_seed(0)
    return GatedDeltaNet(width=WIDTH, num_heads=HEADS, key_dim=KEY, value_dim=VALUE, norm_eps=1e-6)


@pytest.fixture
def reference(layer: GatedDeltaNet) -> Qwen3NextGatedDeltaNet:
    config = Qwen3NextConfig(
        hidden_size=WIDTH,
        linear_num_key_heads=HEADS,
        linear_num_value_heads=HEADS,
        linear_key_head_dim=KEY,
        linear_value_head_dim=VALUE,
        linear_conv_kernel_dim=4,
        num_hidden_layers=1,
        layer_types=["linear_attention"],
        rms_norm_eps=1e-6,
    )
    theirs = Qwen3NextGatedDeltaNet(config, 0)

    def per_head(*weights: torch.Tensor) -> torch.Tensor:
        return torch.cat([w.unflatten(0, (HEADS, -1)) for w in weights], dim=1).flatten(0, 1)

    ours = {name: parameter.detach() for name, parameter in layer.named_parameters()}
    state = {
        "in_proj_qkvz.weight": per_head(*(ours[f"{x}_proj.weight"] for x in "qkvg")),
        "in_proj_ba.weight": per_head(ours["b_proj.weight"], ours["a_proj.weight"]),
        "conv1d.weight": torch.cat([ours[f"{x}_conv1d.weight"] for x in "qkv"]),
        "A_log": ours["A_log"],
        "dt_bias": ours["dt_bias"],
        "norm.weight": ours["o_norm.weight"],
        "out_proj.weight": ours["o_proj.weight"],
    }
    theirs.load_state_dict(state)
    return theirs


@pytest.mark.parametrize("length", [1, 3, 64, 130])
def test_output_and_gradients_equal_transformers(layer, reference, length):
    """Ours in float64, theirs in float32, whose rounding is all that may lie between them."""
    x, weights = torch.randn(length, WIDTH), torch.randn(length, WIDTH)
    names = {"A_log": "A_log", "dt_bias": "dt_bias", "o_proj.weight": "out_proj.weight"}
    layer.double()

    def ours() -> list[torch.Tensor]:
        layer.zero_grad()
        leaf = x.double().requires_grad_()
        mixed = layer(leaf, torch.tensor([0, length], dtype=torch.int32))
        (mixed * weights).sum().backward()
        return [mixed, leaf.grad, *(layer.get_parameter(name).grad for name in names)]

    leaf = x.clone().requires_grad_()
    mixed = reference(leaf[None])[0]
    (mixed * weights).sum().backward()
    theirs = [mixed, leaf.grad, *(reference.get_parameter(name).grad for name in names.values())]
    assert_equal_but_for_rounding(theirs, ours(), sensitivity(ours, layer.parameters()))


def test_parameter_names_are_those_of_flash_linear_attention(layer):
    assert set(layer.state_dict()) == {
        "A_log",
        "dt_bias",
        *(f"{x}_proj.weight" for x in "qkvabgo"),
        *(f"{x}_conv1d.weight" for x in "qkv"),
        "o_norm.weight",
    }
    assert layer.q_conv1d.weight.shape == (HEADS * KEY, 1, 4)
