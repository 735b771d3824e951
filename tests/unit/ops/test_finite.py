"""The debug option that looks for NaN and infinity in front of every op."""

import pytest
import torch

from lifecode.errors import UserError
from lifecode.ops import gated_delta_rule, segment_attention, short_convolution
from lifecode.ops.finite import check_finite


@pytest.fixture
def checked():
    check_finite(True)
    yield
    check_finite(False)


def inputs(bad: float) -> list[torch.Tensor]:
    q, k, v = (torch.zeros(1, 5, 2, 16) for _ in range(3))
    v[0, 3, 1, 7] = bad
    return [q, k, v, torch.zeros(1, 5, 2), torch.zeros(1, 5, 2)]


@pytest.mark.parametrize("bad", [float("nan"), float("inf")])
def test_the_first_bad_value_is_named(checked, bad):
    with pytest.raises(UserError, match=r"v of the gated delta rule is not finite, first at \[0, 3, 1, 7\]"):
        gated_delta_rule(*inputs(bad))
    with pytest.raises(UserError, match="v of the attention"):
        segment_attention(*inputs(bad)[:3], torch.tensor([0, 5]))
    with pytest.raises(UserError, match="x of the short convolution"):
        short_convolution(torch.full((1, 2, 16), bad), torch.ones(16, 4))
    gated_delta_rule(*inputs(1.0))


def test_it_is_off_by_default():
    assert gated_delta_rule(*inputs(float("nan"))).shape == (1, 5, 2, 16)
