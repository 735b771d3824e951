"""Attention inside segments."""

import math

import pytest
import torch

from lifecode.errors import UserError
from lifecode.ops import segment_attention
from lifecode.ops.segments import segment_ids

CU_SEQLENS = torch.tensor([0, 3, 3, 4, 10], dtype=torch.int32)


def random_inputs(**options):
    torch.manual_seed(0)
    return [torch.randn(1, 10, 2, 4, dtype=torch.float64, **options) for _ in range(3)]


def test_equals_softmax_under_a_block_mask():
    q, k, v = random_inputs()
    ids = segment_ids(CU_SEQLENS, 10)
    scores = torch.einsum("bihd,bjhd->bhij", q, k) / math.sqrt(4)
    weights = scores.masked_fill(ids[:, None] != ids, -math.inf).softmax(-1)
    expected = torch.einsum("bhij,bjhd->bihd", weights, v)
    torch.testing.assert_close(segment_attention(q, k, v, CU_SEQLENS), expected)


def test_gradcheck():
    inputs = random_inputs(requires_grad=True)
    assert torch.autograd.gradcheck(lambda q, k, v: segment_attention(q, k, v, CU_SEQLENS), inputs)


def test_segments_are_isolated_exactly():
    def run(disturbed):
        inputs = random_inputs()
        for x in inputs:
            x[:, 4:] += disturbed
            x.requires_grad_()
        output = segment_attention(*inputs, CU_SEQLENS)
        output.square().sum().backward()
        return output.detach(), *(x.grad for x in inputs)

    for quiet, broken in zip(run(0.0), run(math.nan), strict=True):
        assert torch.equal(quiet[:, :4], broken[:, :4])
        assert broken[:, 4:].isnan().all()


def test_empty_row():
    nothing = torch.zeros(1, 0, 2, 4)
    assert segment_attention(nothing, nothing, nothing, torch.tensor([0, 0])).shape == (1, 0, 2, 4)


def test_errors():
    q, k, v = random_inputs()
    with pytest.raises(UserError, match=r"q must have shape \[1, T, H, D\], not \[10, 2, 4\]"):
        segment_attention(q[0], k, v, CU_SEQLENS)
    with pytest.raises(
        UserError, match=r"k \[1, 9, 2, 4\] torch.float64 on cpu must match q \[1, 10, 2, 4\]"
    ):
        segment_attention(q, k[:, :9], v, CU_SEQLENS)
    with pytest.raises(UserError, match="must end at the row's length 10, not at 9"):
        segment_attention(q, k, v, torch.tensor([0, 9]))
