"""flash-linear-attention's short convolution behind our boundary, against the torch backend in float64."""

import math

import pytest
import torch

from lifecode.ops import short_convolution
from lifecode.ops.fla.segments import device_segments
from tests.interpreted.host_waits import HostWaits
from tests.support import convolution_contract as contract

# Shorter than the kernel, empty in the middle and at either end, longer than a chunk of 64.
BORDERS = [0, 0, 1, 3, 3, 40, 130, 130]

# Relative to the largest number. Measured: 6e-7 and 3e-3.
TOLERANCE = {torch.float32: 3e-6, torch.bfloat16: 1e-2}


def differentiate(x, weight, d_output, backend, **options):
    leaves = [t.clone().requires_grad_() for t in (x, weight)]
    output = short_convolution(*leaves, backend=backend, **options)
    output.backward(d_output.to(output.dtype))
    return output.detach(), *(leaf.grad for leaf in leaves)


@pytest.mark.parametrize(
    ("packed", "reverse", "activation", "width", "channels", "dtype"),
    [
        (True, False, "silu", 4, 48, torch.float32),
        (True, True, "silu", 4, 40, torch.float32),
        (True, True, None, 1, 48, torch.float32),
        (False, False, None, 4, 40, torch.float32),
        (False, True, "silu", 5, 48, torch.float32),
        (True, True, "silu", 4, 48, torch.bfloat16),
        (False, False, "silu", 4, 40, torch.bfloat16),
    ],
)
def test_equals_torch(packed, reverse, activation, width, channels, dtype, launched):
    torch.manual_seed(0)
    x = torch.randn(1 if packed else 2, 130, channels).mul_(3).to(dtype)
    # Under autocast the weight stays in float32.
    weight, d_output = torch.randn(channels, width), torch.randn(x.shape).to(dtype)
    options = {"reverse": reverse, "activation": activation}
    options |= {"cu_seqlens": torch.tensor(BORDERS)} if packed else {}
    actual = differentiate(x, weight, d_output, "fla", **options)
    expected = differentiate(x.double(), weight.double(), d_output, "torch", **options)
    assert [t.dtype for t in actual] == [dtype, dtype, torch.float32]
    assert {"causal_conv1d_fwd_kernel", "causal_conv1d_bwd_kernel"} <= set(launched)
    for name, ours, true in zip(("output", "x", "weight"), actual, expected, strict=True):
        bound = TOLERANCE[dtype] * max(1.0, float(true.abs().max()))
        torch.testing.assert_close(ours.double(), true, rtol=0, atol=bound, msg=lambda m: f"{name}: {m}")


@pytest.mark.parametrize("reverse", [False, True])
def test_segments_are_isolated_exactly(reverse):
    contract.segments_are_isolated_exactly("fla", reverse)


@pytest.mark.parametrize("length", [0, 1, 2, 3])
def test_shorter_than_the_kernel(length):
    contract.shorter_than_the_kernel("fla", length)


@pytest.mark.parametrize("value", [-200.0, -88.0, 0.0, 88.0, 200.0, math.inf])
def test_silu_of_extremes(value):
    x, weight = torch.full((1, 1, 16), value), torch.ones(16, 1)
    torch.testing.assert_close(short_convolution(x, weight, backend="fla"), torch.nn.functional.silu(x))


def test_a_view_of_a_wider_projection():
    wide, weight = torch.randn(1, 30, 48), torch.randn(16, 4)
    view = wide[..., 16:32]
    output = short_convolution(view, weight, backend="fla")
    assert torch.equal(output, short_convolution(view.contiguous(), weight, backend="fla"))


def test_an_empty_row_launches_nothing(launched):
    assert short_convolution(torch.randn(2, 0, 16), torch.randn(16, 4), backend="fla").shape == (2, 0, 16)
    assert launched == []


def test_no_layer_waits_for_the_device():
    x, weight = torch.randn(1, 90, 16, requires_grad=True), torch.randn(16, 4, requires_grad=True)
    device_segments((0, 30, 30, 90), x.device)
    with HostWaits() as waits:
        output = short_convolution(
            x, weight, cu_seqlens=torch.tensor([0, 30, 30, 90]), reverse=True, backend="fla"
        )
        output.sum().backward()
    assert waits.operations == []
