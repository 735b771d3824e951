"""Our Gated DeltaNet layer and that of flash-linear-attention hold the same weights and compute the same."""

from importlib import import_module

import pytest
import torch

from lifecode.models.layers.gated_deltanet import GatedDeltaNet

WIDTH, HEADS, KEY, VALUE = 32, 2, 16, 32
BORDERS = [0, 3, 70, 90]


@pytest.fixture
def ours():
    torch.manual_seed(0)
    return GatedDeltaNet(width=WIDTH, num_heads=HEADS, key_dim=KEY, value_dim=VALUE)


@pytest.fixture
def theirs():
    torch.manual_seed(1)
    layer = import_module("fla.layers.gated_deltanet").GatedDeltaNet
    return layer(hidden_size=WIDTH, expand_v=VALUE / KEY, head_dim=KEY, num_heads=HEADS, use_gate=True)


def assert_same(ours, theirs, launched):
    torch.manual_seed(2)
    cu_seqlens = torch.tensor(BORDERS)
    x, d_output = torch.randn(2, BORDERS[-1], WIDTH)
    results = []
    for run in (lambda x: ours(x, cu_seqlens), lambda x: theirs(x[None], cu_seqlens=cu_seqlens)[0][0]):
        leaf = x.clone().requires_grad_()
        output = run(leaf)
        output.backward(d_output)
        results.append((output.detach(), leaf.grad))
    assert "chunk_gated_delta_rule_bwd_kernel_dhu_blockdim64" in launched
    for mine, other in zip(*results, strict=True):
        assert other.abs().max() > 1e-3
        torch.testing.assert_close(mine, other, rtol=0, atol=1e-5 * float(other.abs().max()))
    # A gate's gradient is a sum over all positions that largely cancels: either side is off from float64
    # by up to 1.1e-5 of the largest entry, and the processor decides by how much.
    for name, parameter in ours.named_parameters():
        expected = theirs.get_parameter(name).grad
        torch.testing.assert_close(
            parameter.grad, expected, rtol=0, atol=5e-5 * float(expected.abs().max()), msg=name
        )


def test_takes_their_weights(ours, theirs, launched):
    ours.load_state_dict(theirs.state_dict(), strict=True)
    assert_same(ours, theirs, launched)


def test_gives_its_weights(ours, theirs, launched):
    theirs.load_state_dict(ours.state_dict(), strict=True)
    assert_same(ours, theirs, launched)
