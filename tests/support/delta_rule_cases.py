"""Inputs of the gated delta rule, its result with all gradients, and its recurrence in float64 beside it."""

from functools import cache

import pytest
import torch
import torch.nn.functional as F

from lifecode.ops import gated_delta_rule

NAMES = ("output", "state", "q", "k", "v", "g", "beta", "initial_state")

needs_cuda = pytest.mark.skipif(
    not torch.cuda.is_available(),
    reason="no CUDA device; run on a machine with one, after `pip install 'lifecode[cuda]'`",
)


def borders_of(length, packed):
    """Segments of unequal lengths, an empty one among them."""
    inner = sorted({length // 7, length // 3, length // 3 + 1, length - 1} & set(range(length)))
    return (0, *inner, *inner[-1:], length) if packed else None


@cache
def case(length, packed, decay="mixed", keys=8, values=16, heads=2, batch=2, start=True):
    """Inputs in float64 that float32 holds exactly, and borders; without `start` no initial state."""
    random = torch.Generator().manual_seed(length)
    batch = 1 if packed else batch

    def normal(*shape):
        return torch.randn(shape, generator=random, dtype=torch.float64).float().double()

    def uniform(*shape):
        return torch.rand(shape, generator=random, dtype=torch.float64).float().double()

    shape = (batch, length, heads)
    g = -0.3 * uniform(*shape)
    if decay == "mixed":
        g[:, ::5], g[:, 1::5] = -50.0, 0.0
    elif decay == "strong":
        g[:] = -50.0
    elif decay == "none":
        g[:] = 0.0
    beta = uniform(*shape)
    beta[:, ::4], beta[:, 1::4] = 1e-4, 1 - 1e-4
    borders = borders_of(length, packed)
    states = (len(borders) - 1 if borders else batch, heads, keys, values)
    q, k = (F.normalize(normal(*shape, keys), dim=-1).float().double() for _ in range(2))
    v = normal(*shape, values)
    return (q, k, v, g, beta, normal(*states) if start else None), borders


def random_inputs(length=90, batch=1, heads=2, keys=8, values=16, seed=0, device="cpu"):
    """q, k, v, g and beta in float32."""
    torch.manual_seed(seed)
    shape = (batch, length, heads)
    q, k = (F.normalize(torch.randn(*shape, keys), dim=-1) for _ in range(2))
    return [x.to(device) for x in (q, k, torch.randn(*shape, values), -torch.rand(shape), torch.rand(shape))]


def differentiate(
    inputs,
    borders,
    reverse,
    backend,
    dtype=torch.float64,
    gates=None,
    device="cpu",
    rule=gated_delta_rule,
):
    """Output, final state and the gradients of a fixed weighted sum of both, on the CPU.

    q, k, v are cast to `dtype`, g, beta and the initial state to `gates`, which is `dtype` if None.
    """
    dtypes = [dtype] * 3 + [gates or dtype] * 3
    leaves = [
        None if x is None else x.detach().clone().to(device, kind).requires_grad_()
        for x, kind in zip(inputs, dtypes, strict=True)
    ]
    output, state = rule(
        *leaves[:5],
        cu_seqlens=None if borders is None else torch.tensor(borders, dtype=torch.int32, device=device),
        reverse=reverse,
        initial_state=leaves[5],
        return_state=True,
        backend=backend,
    )
    random = torch.Generator().manual_seed(1)
    # Numbers that bf16 holds exactly, so that every dtype differentiates the same sum.
    weights = [torch.randn(x.shape, generator=random).bfloat16() for x in (output, state)]
    torch.autograd.backward([output, state], [w.to(x) for w, x in zip(weights, (output, state), strict=True)])
    return [x.detach().cpu() for x in (output, state, *(x.grad for x in leaves if x is not None))]


@cache
def reference(reverse, *case_args, **case_kwargs):
    """What the recurrence gives in float64 for the same arguments as those of `case`."""
    inputs, borders = case(*case_args, **dict(case_kwargs))
    return differentiate(inputs, borders, reverse, "recurrent")


def assert_all_close(actual, expected, tolerance):
    """Every result within `tolerance` of the expected one, relative to its largest number or to 1."""
    assert len(actual) == len(expected) >= len(NAMES) - 1
    for name, x, y in zip(NAMES, actual, expected, strict=False):
        bound = tolerance * max(1.0, float(y.abs().max())) if y.numel() else 0.0
        torch.testing.assert_close(x.double(), y, rtol=0, atol=bound, msg=lambda m, name=name: f"{name}: {m}")
