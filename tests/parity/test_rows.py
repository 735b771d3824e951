"""Norms, gates and residual sums: compiled equals torch in float64, forward and in every gradient."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from lifecode.errors import UserError
from lifecode.ops import rms_norm, rms_norm_and_keep, scaled_sum, silu_gate
from lifecode.ops.rows.cpu_kernels import ROWS_PER_TASK
from tests.support.rounding import assert_equal_but_for_rounding, sensitivity

EPS = 1e-5


def _norm_and_sum(x: Tensor, weight: Tensor, backend: str, **options: torch.dtype) -> Tensor:
    normed, kept = rms_norm_and_keep(x, weight, eps=EPS, backend=backend, **options)
    return kept + 2 * normed.to(kept.dtype)


OPS = {
    "rms_norm": (lambda x, w, backend: rms_norm(x, w, eps=EPS, backend=backend), ("rows", "weight")),
    "gated_rms_norm": (
        lambda x, w, g, backend: rms_norm(x, w, eps=EPS, gate=g, backend=backend),
        ("rows", "weight", "rows"),
    ),
    "rms_norm_and_keep": (_norm_and_sum, ("rows", "weight")),
    "silu_gate": (lambda x, backend: silu_gate(x, backend=backend), ("pairs",)),
    "scaled_sum": (
        lambda x, y, w, backend: scaled_sum(x, y, w, backend=backend),
        ("rows", "rows", "weight"),
    ),
}


def operands(name: str, shape: tuple[int, ...], size: float = 1.0) -> list[Tensor]:
    random = torch.Generator().manual_seed(0)
    kinds = {"rows": shape, "pairs": (*shape[:-1], 2 * shape[-1]), "weight": shape[-1:]}
    return [size * torch.randn(kinds[kind], generator=random) for kind in OPS[name][1]]


def result_and_gradients(name: str, tensors: list[Tensor], backend: str) -> list[Tensor]:
    leaves = [x.detach().clone().requires_grad_() for x in tensors]
    result = OPS[name][0](*leaves, backend)
    slope = torch.randn(result.shape, generator=torch.Generator().manual_seed(1)).to(result.dtype)
    return [result.detach(), *torch.autograd.grad(result, leaves, slope)]


def require_equal(name: str, tensors: list[Tensor]) -> None:
    leaves = [x.double() for x in tensors]
    exact = result_and_gradients(name, leaves, "torch")
    moved = sensitivity(lambda: result_and_gradients(name, leaves, "torch"), leaves)
    ours = result_and_gradients(name, tensors, "native")
    assert {x.dtype for x in ours} == {torch.float32}
    assert_equal_but_for_rounding(ours, exact, moved)


@pytest.mark.parametrize("name", OPS)
@pytest.mark.parametrize("num_rows", [0, 1, ROWS_PER_TASK - 1, ROWS_PER_TASK, 3 * ROWS_PER_TASK + 1])
@pytest.mark.parametrize("width", [16, 48, 128])
def test_compiled_rows_equal_float64(name, num_rows, width):
    require_equal(name, operands(name, (num_rows, width)))


@pytest.mark.parametrize("name", OPS)
def test_leading_axes_are_rows(name):
    require_equal(name, operands(name, (5, 3, 7, 32)))


@pytest.mark.parametrize("name", OPS)
@given(exponent=st.integers(-12, 8))
@settings(max_examples=20)
def test_large_and_tiny_numbers(name, exponent):
    require_equal(name, operands(name, (3, 16), size=10.0**exponent))


@pytest.mark.parametrize("name", OPS)
def test_transposed_operands_and_slopes(name):
    tensors = [x.t().contiguous().t() if x.dim() == 2 else x for x in operands(name, (40, 32))]
    require_equal(name, tensors)


@pytest.mark.parametrize("name", OPS)
def test_nan_comes_out_of_its_row_alone(name):
    tensors = operands(name, (4, 16))
    tensors[0][2, 3] = torch.nan
    result = OPS[name][0](*tensors, "native")
    assert result[2].isnan().any()
    assert result[[0, 1, 3]].isfinite().all()


def test_a_row_by_hand():
    x = torch.zeros(1, 16)
    x[0, :2] = torch.tensor([3.0, 4.0])
    # The squares add up to 25; their mean over 16 is 25 / 16.
    expected = torch.zeros(1, 16)
    expected[0, :2] = torch.tensor([0.6, 0.8])
    weight = torch.full((16,), 2.0)
    torch.testing.assert_close(rms_norm(x, weight, eps=0.0, backend="native"), 8 * expected)
    gate = torch.zeros(1, 16)  # SiLU(0) = 0
    assert not rms_norm(x, weight, eps=0.0, gate=gate, backend="native").any()
    normed, kept = rms_norm_and_keep(x, weight, eps=0.0, backend="native")
    torch.testing.assert_close(normed, 8 * expected)
    assert torch.equal(kept, x)
    torch.testing.assert_close(scaled_sum(x, x, weight, backend="native"), 3 * x)
    opened = silu_gate(torch.cat([100 * torch.ones(1, 16), x], dim=-1), backend="native")  # SiLU(100) = 100
    torch.testing.assert_close(opened, 100 * x)


# What is in bfloat16 under autocast: results, slopes and gradients are then too, but for weights.
IN_BF16 = {
    "rms_norm": lambda x, w, backend: rms_norm(x, w, eps=EPS, dtype=torch.bfloat16, backend=backend),
    "gated_rms_norm": lambda x, w, g, backend: rms_norm(
        x.bfloat16(), w, eps=EPS, gate=g.bfloat16(), backend=backend
    ),
    "rms_norm_and_keep": lambda x, w, backend: _norm_and_sum(x, w, backend, dtype=torch.bfloat16),
    "silu_gate": lambda x, backend: silu_gate(x.bfloat16(), backend=backend),
    "scaled_sum": lambda x, y, w, backend: scaled_sum(x, y.bfloat16(), w, backend=backend),
}


@pytest.mark.parametrize("name", OPS)
def test_bfloat16_is_read_and_written_with_arithmetic_in_float32(name, monkeypatch):
    """Each number is that of float32 rounded to 8 bits: half a unit in the last of them, no more."""
    tensors = [x.bfloat16().float() for x in operands(name, (ROWS_PER_TASK + 3, 48))]
    # The slope is rounded as well, so that both start from the same numbers.
    slope = torch.randn
    monkeypatch.setattr(torch, "randn", lambda *args, **kwargs: slope(*args, **kwargs).bfloat16().float())
    exact = result_and_gradients(name, tensors, "native")
    monkeypatch.setitem(OPS, name, (IN_BF16[name], OPS[name][1]))
    ours = result_and_gradients(name, tensors, "native")
    assert {x.dtype for x in ours} <= {torch.float32, torch.bfloat16}
    for x, y in zip(ours, exact, strict=True):
        bound = 2**-8 * y.abs() + 1e-6
        # The norm is rounded before it is doubled and added to what was kept.
        bound = bound + 2**-7 * y.abs().max() if name == "rms_norm_and_keep" else bound
        assert ((x.float() - y).abs() <= bound).all()


@pytest.mark.parametrize("number", [0.0, -0.0, 1.0, 1 + 2**-8, 1 + 3 * 2**-8, -3.1416, 3.3e38, 1e-40])
def test_rounding_to_bfloat16_is_that_of_torch(number):
    x = torch.tensor([number, torch.inf, -torch.inf, torch.nan] * 4)[None]
    summed = scaled_sum(x.bfloat16() * 0, x, torch.ones(16), backend="native")
    assert summed.dtype == torch.bfloat16
    torch.testing.assert_close(summed, x.bfloat16() * 0 + x.bfloat16(), rtol=0, atol=0, equal_nan=True)


@pytest.mark.parametrize("name", OPS)
def test_auto_takes_torch_where_the_kernels_cannot_run(name):
    for tensors in (operands(name, (4, 12)), [x.double() for x in operands(name, (4, 16))]):
        torch.testing.assert_close(OPS[name][0](*tensors, "auto"), OPS[name][0](*tensors, "torch"))
        with pytest.raises(UserError, match="'native' cannot run: it needs"):
            OPS[name][0](*tensors, "native")


def test_an_unknown_backend_is_named():
    with pytest.raises(UserError, match="'triton' is unknown"):
        silu_gate(torch.ones(2, 32), backend="triton")
