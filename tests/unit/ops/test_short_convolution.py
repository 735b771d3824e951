"""The short convolution against torch's Conv1d; its `fla` backend without a GPU is in `tests/interpreted`."""

import itertools
import math
from types import SimpleNamespace

import pytest
import torch
import torch.nn.functional as F

from lifecode.errors import UserError
from lifecode.ops import short_convolution, short_convolutions
from lifecode.ops.convolution import boundary as convolution
from lifecode.ops.convolution.boundary import resolve_convolution_backend
from tests.support import convolution_contract as contract
from tests.support.convolution_contract import conv1d
from tests.support.delta_rule_cases import needs_cuda
from tests.support.rounding import assert_equal_but_for_rounding, sensitivity

BACKENDS = ["torch", "native"]
BORDERS = [0, 1, 3, 3, 40, 700]


def reference(x, weight, borders, reverse, activation):
    parts = []
    for start, end in itertools.pairwise(borders):
        part = x[:, start:end]
        if end > start:
            part = conv1d(part.flip(1), weight).flip(1) if reverse else conv1d(part, weight)
        parts.append(part)
    output = torch.cat(parts, dim=1)
    return F.silu(output) if activation else output


def test_by_hand():
    x = torch.tensor([1.0, 2.0, 3.0]).view(1, 3, 1)
    weight = torch.tensor([[10.0, 1.0]])
    assert short_convolution(x, weight, activation=None).flatten().tolist() == [1.0, 12.0, 23.0]
    reversed_ = short_convolution(x, weight, reverse=True, activation=None)
    assert reversed_.flatten().tolist() == [21.0, 32.0, 3.0]


def assert_equals_conv1d(backend, reverse, activation, packed, width, device):
    torch.manual_seed(0)
    x = torch.randn(1 if packed else 2, 700, 32).mul_(3)
    weight, d_output = torch.randn(32, width), torch.randn(x.shape)
    exact = [t.double() for t in (x, weight)]

    def in_float64():
        doubles = [t.detach().requires_grad_() for t in exact]
        output = reference(*doubles, BORDERS if packed else [0, 700], reverse, activation)
        return [output, *torch.autograd.grad(output, doubles, d_output.double())]

    leaves = [t.to(device, copy=True).requires_grad_() for t in (x, weight)]
    cu_seqlens = torch.tensor(BORDERS, device=device) if packed else None
    options = {"cu_seqlens": cu_seqlens, "reverse": reverse, "activation": activation, "backend": backend}
    output = short_convolution(*leaves, **options)
    output.backward(d_output.to(device))
    found = [t.detach().cpu() for t in (output, *(leaf.grad for leaf in leaves))]
    assert_equal_but_for_rounding(found, in_float64(), sensitivity(in_float64, exact))


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("reverse", [False, True])
@pytest.mark.parametrize("activation", ["silu", None])
@pytest.mark.parametrize("packed", [False, True])
@pytest.mark.parametrize("width", [1, 4, 5])
def test_equals_conv1d(backend, reverse, activation, packed, width):
    assert_equals_conv1d(backend, reverse, activation, packed, width, "cpu")


@needs_cuda
@pytest.mark.parametrize("backend", ["torch", "fla"])
@pytest.mark.parametrize("reverse", [False, True])
@pytest.mark.parametrize("packed", [False, True])
def test_equals_conv1d_on_cuda(backend, reverse, packed):
    assert_equals_conv1d(backend, reverse, "silu", packed, 4, "cuda")


def test_gradcheck():
    x = torch.randn(1, 9, 3, dtype=torch.float64, requires_grad=True)
    weight = torch.randn(3, 4, dtype=torch.float64, requires_grad=True)
    cu_seqlens = torch.tensor([0, 2, 2, 9])
    assert torch.autograd.gradcheck(lambda x, w: short_convolution(x, w, cu_seqlens=cu_seqlens), (x, weight))


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("reverse", [False, True])
def test_segments_are_isolated_exactly(backend, reverse):
    contract.segments_are_isolated_exactly(backend, reverse)


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("length", [0, 1, 2, 3])
def test_shorter_than_the_kernel(backend, length):
    contract.shorter_than_the_kernel(backend, length)


@pytest.mark.parametrize("value", [-200.0, -88.0, -1e-8, 0.0, 1e-8, 88.0, 200.0, math.inf])
def test_silu_of_extremes(value):
    x, weight = torch.full((1, 1, 16), value), torch.ones(16, 1)
    torch.testing.assert_close(short_convolution(x, weight, backend="native"), F.silu(x))


@pytest.mark.parametrize("backend", BACKENDS)
def test_bf16(backend):
    x, weight = torch.randn(1, 50, 16), torch.randn(16, 4)
    output = short_convolution(x.bfloat16(), weight, backend=backend)
    assert output.dtype == torch.bfloat16
    expected = short_convolution(x.bfloat16().float(), weight, backend="torch")
    # Rounded to 8 bits: weights, four partial sums, what the SiLU (slope 1.1 at most) reads, the output.
    added_up = short_convolution(x.bfloat16().float().abs(), weight.abs(), activation=None, backend="torch")
    assert ((output.float() - expected).abs() <= 8 * 2**-9 * added_up).all()


def test_the_native_kernel_rounds_results_and_gradients_in_bf16_once():
    random = torch.Generator().manual_seed(0)
    x, d_output = (torch.randn(1, 600, 32, generator=random).bfloat16() for _ in range(2))
    weight, found = torch.randn(32, 4, generator=random), {}
    for dtype in (torch.float32, torch.bfloat16):
        leaves = [t.detach().clone().requires_grad_() for t in (x.to(dtype), weight)]
        output = short_convolution(*leaves, backend="native")
        output.backward(d_output.to(dtype))
        found[dtype] = [output.detach(), *(leaf.grad for leaf in leaves)]
    assert [t.dtype for t in found[torch.bfloat16]] == [torch.bfloat16, torch.bfloat16, torch.float32]
    for exact, rounded in zip(found[torch.float32], found[torch.bfloat16], strict=True):
        assert torch.equal(exact.to(rounded.dtype), rounded)


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("reverse", [False, True])
def test_groups_side_by_side_are_each_a_convolution(backend, reverse):
    random = torch.Generator().manual_seed(0)
    x = torch.randn(1, 40, 80, generator=random, requires_grad=True)
    weights = [torch.randn(c, 4, generator=random, requires_grad=True) for c in (16, 16, 48)]
    options = {"cu_seqlens": torch.tensor([0, 3, 40]), "reverse": reverse, "backend": backend}
    joint = short_convolutions(x, weights, **options)
    alone = [
        short_convolution(part, weight, **options)
        for part, weight in zip(x.split([16, 16, 48], dim=2), weights, strict=True)
    ]
    slopes = [torch.randn(y.shape, generator=random) for y in alone]
    for ours, theirs in zip(
        [*joint, *torch.autograd.grad(joint, [x, *weights], slopes)],
        [*alone, *torch.autograd.grad(alone, [x, *weights], slopes)],
        strict=True,
    ):
        assert torch.equal(ours, theirs)


def test_auto_takes_native_where_it_can():
    assert resolve_convolution_backend("auto", torch.zeros(1, 2, 32)) == "native"
    assert resolve_convolution_backend("auto", torch.zeros(1, 2, 20)) == "torch"
    assert resolve_convolution_backend("auto", torch.zeros(1, 2, 32, dtype=torch.float64)) == "torch"


def test_auto_takes_fla_on_cuda_where_it_can(monkeypatch):
    def chosen(dtype):
        # Stands for a CUDA tensor, of which the choice reads the device and the dtype.
        return resolve_convolution_backend("auto", SimpleNamespace(device=torch.device("cuda"), dtype=dtype))

    monkeypatch.setattr(convolution, "fla_convolution_problem", lambda: None)
    assert [chosen(dtype) for dtype in (torch.float32, torch.bfloat16)] == ["fla", "fla"]
    assert chosen(torch.float64) == "torch"
    monkeypatch.setattr(convolution, "fla_convolution_problem", lambda: "it cannot be imported")
    assert chosen(torch.float32) == "torch"


@pytest.mark.parametrize(
    ("x", "weight", "options", "message"),
    [
        ((5, 4), (4, 4), {}, r"x must have shape \[B, T, C\], not \[5, 4\]"),
        ((1, 5, 4), (3, 4), {}, r"weight must have shape \[4, W\], not \[3, 4\]"),
        ((1, 5, 4), (4, 4), {"activation": "relu"}, "activation 'relu' is unknown"),
        ((1, 5, 4), (4, 4), {"backend": "cuda"}, "backend 'cuda' is unknown"),
        ((1, 5, 4), (4, 4), {"backend": "native"}, "it needs a multiple of 16 channels, not 4"),
        ((1, 5, 4), (4, 4), {"backend": "fla"}, "'fla' cannot run: it needs CUDA tensors .* on cpu"),
        ((2, 5, 4), (4, 4), {"cu_seqlens": torch.tensor([0, 5])}, "one packed row, B = 1, not B = 2"),
        ((1, 5, 4), (4, 4), {"cu_seqlens": torch.tensor([0, 4])}, "must end at the row's length 5"),
    ],
)
def test_errors(x, weight, options, message):
    with pytest.raises(UserError, match=message):
        short_convolution(torch.zeros(x), torch.zeros(weight), **options)
