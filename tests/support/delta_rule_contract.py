"""What every backend of the gated delta rule promises beyond its numbers."""

import itertools
import math

import torch

from lifecode.ops import gated_delta_rule
from lifecode.ops.segments import reverse_segments_index
from tests.support.delta_rule_cases import random_inputs


def one_dimension_by_hand(backend):
    """Three steps of one number, forwards and backwards."""
    v = torch.tensor([2.0, 4.0, 8.0]).view(1, 3, 1, 1)
    ones, half = torch.ones(1, 3, 1, 1), torch.full((1, 3, 1), 0.5)
    output, state = gated_delta_rule(ones, ones, v, half.log(), half, return_state=True, backend=backend)
    # S_t = 0.5 * 0.5 S_{t-1} + 0.5 v_t
    torch.testing.assert_close(output.flatten(), torch.tensor([1.0, 2.25, 4.5625]))
    torch.testing.assert_close(state.flatten(), torch.tensor([4.5625]))
    backwards = gated_delta_rule(ones, ones, v, half.log(), half, reverse=True, backend=backend)
    torch.testing.assert_close(backwards.flatten(), torch.tensor([1.75, 3.0, 4.0]))


def a_key_written_again_is_overwritten(backend):
    """With beta = 1 and no decay the last value of a key is what is read."""
    k = torch.tensor([[1.0, 0.0], [0.0, 1.0], [1.0, 0.0]]).view(1, 3, 1, 2)
    q = torch.tensor([2.0, 1.0]).expand(1, 3, 1, 2)
    v = torch.tensor([3.0, 5.0, 7.0]).view(1, 3, 1, 1)
    output = gated_delta_rule(q, k, v, torch.zeros(1, 3, 1), torch.ones(1, 3, 1), scale=0.5, backend=backend)
    torch.testing.assert_close(output.flatten(), torch.tensor([3.0, 5.5, 9.5]))


def segments_are_isolated_exactly(backend, device, reverse):
    """Whatever stands in one segment, even NaN, leaves no bit of the others or their gradients changed."""
    cu_seqlens = torch.tensor([0, 30, 30, 50, 90], device=device)

    def run(disturbed):
        inputs = random_inputs(device=device)
        inputs[2][:, 30:50] += disturbed
        inputs[0][:, 30:50] -= disturbed
        inputs = [x.requires_grad_() for x in inputs]
        output = gated_delta_rule(*inputs, cu_seqlens=cu_seqlens, reverse=reverse, backend=backend)
        output.square().sum().backward()
        return output.detach(), *(x.grad for x in inputs)

    for quiet, loud, broken in zip(run(0.0), run(3.0), run(math.nan), strict=True):
        others = torch.cat([torch.arange(30), torch.arange(50, 90)])
        assert torch.equal(quiet[:, others], loud[:, others])
        assert torch.equal(quiet[:, others], broken[:, others])
        assert not torch.equal(quiet[:, 30:50], loud[:, 30:50])
        assert broken[:, 30:50].isnan().any()


def gradient_across_segments_is_exactly_zero(backend, device):
    """Nothing flows from a segment into the one before it."""
    inputs = [x.requires_grad_() for x in random_inputs(device=device)]
    output = gated_delta_rule(*inputs, cu_seqlens=torch.tensor([0, 40, 90], device=device), backend=backend)
    for gradient in torch.autograd.grad(output[:, 40:].sum(), inputs):
        assert torch.equal(gradient[:, :40], torch.zeros_like(gradient[:, :40]))
        assert gradient[:, 41:].abs().sum() > 0


def packed_equals_alone(backend):
    """Outputs and last states of packed segments are those of each alone."""
    inputs, cu_seqlens = random_inputs(), [0, 1, 30, 90]
    packed, states = gated_delta_rule(
        *inputs, cu_seqlens=torch.tensor(cu_seqlens), return_state=True, backend=backend
    )
    for segment, (start, end) in enumerate(itertools.pairwise(cu_seqlens)):
        alone = gated_delta_rule(*(x[:, start:end] for x in inputs), return_state=True, backend=backend)
        torch.testing.assert_close(packed[:, start:end], alone[0])
        torch.testing.assert_close(states[segment : segment + 1], alone[1])


def reverse_is_flip_run_flip(backend, device, borders):
    """Bit for bit."""
    inputs = random_inputs(device=device)
    cu_seqlens = None if borders is None else torch.tensor(borders, device=device)
    index = reverse_segments_index(torch.tensor(borders or [0, 90], device=device), 90)
    options = {"cu_seqlens": cu_seqlens, "return_state": True, "backend": backend}
    flipped, flipped_state = gated_delta_rule(*(x[:, index] for x in inputs), **options)
    output, state = gated_delta_rule(*inputs, reverse=True, **options)
    assert torch.equal(output, flipped[:, index])
    assert torch.equal(state, flipped_state)


def nothing_to_do(backend, device):
    """A row without positions gives back its initial states and their gradient."""
    inputs = [x.requires_grad_() for x in random_inputs(0, device=device)]
    start = torch.randn(2, 2, 8, 16, requires_grad=True, device=device)
    cu_seqlens = torch.tensor([0, 0, 0], device=device)
    output, state = gated_delta_rule(
        *inputs, cu_seqlens=cu_seqlens, initial_state=start, return_state=True, backend=backend
    )
    assert output.shape == (1, 0, 2, 16)
    assert torch.equal(state, start)
    state.sum().backward()
    assert torch.equal(start.grad, torch.ones_like(start))


def autocast_does_not_lower_the_precision(backend):
    """Bit for bit."""
    inputs = random_inputs()
    with torch.autocast("cpu", torch.bfloat16):
        output = gated_delta_rule(*inputs, backend=backend)
    assert torch.equal(output, gated_delta_rule(*inputs, backend=backend))
