"""Run as a program: for each kernel that is compiled for the CPU, a digest of its result and gradients.

With another order of the arguments the kernels are compiled, or loaded, in another order.
"""

import hashlib
import sys
from collections.abc import Callable
from functools import partial

import torch
from torch import Tensor

from lifecode.ops.convolution.boundary import short_convolution
from lifecode.ops.delta_rule.boundary import gated_delta_rule
from lifecode.ops.rows.boundary import rms_norm, scaled_sum, silu_gate

Call = tuple[Callable[..., Tensor], list[Tensor]]


def delta_rule(draw: torch.Generator, key_size: int, value_size: int, *, reverse: bool) -> Call:
    """Three packed segments."""
    q, k, v = (torch.randn(1, 300, 2, size, generator=draw) for size in (key_size, key_size, value_size))
    g, beta = -torch.rand(1, 300, 2, generator=draw), torch.rand(1, 300, 2, generator=draw)
    borders = torch.tensor([0, 7, 120, 300])
    call = partial(gated_delta_rule, cu_seqlens=borders, reverse=reverse, backend="native")
    return call, [q, torch.nn.functional.normalize(k, dim=-1), v, g, beta]


def kernels() -> dict[str, Call]:
    """A function and its inputs, by name."""
    draw = torch.Generator().manual_seed(0)
    x, y, weight = (torch.randn(*shape, generator=draw) for shape in ((600, 64), (600, 64), (64,)))
    taps = torch.randn(64, 4, generator=draw)

    def gated_norm(x: Tensor, weight: Tensor, gate: Tensor) -> Tensor:
        return rms_norm(x, weight, eps=1e-6, gate=gate, backend="native")

    return {
        "delta_rule": delta_rule(draw, 16, 32, reverse=False),
        "delta_rule_wide": delta_rule(draw, 64, 64, reverse=True),
        "delta_rule_odd": delta_rule(draw, 12, 24, reverse=True),
        "convolution": (partial(short_convolution, backend="native"), [x[None], taps]),
        "norm": (partial(rms_norm, eps=1e-6, backend="native"), [x, weight]),
        "gated_norm": (gated_norm, [x, weight, y]),
        "gate": (partial(silu_gate, backend="native"), [torch.cat([x, y], dim=-1)]),
        "scaled_sum": (partial(scaled_sum, backend="native"), [x, y, weight]),
    }


def digest(function: Callable[..., Tensor], inputs: list[Tensor]) -> str:
    """Of the result, and of the gradients of half its squares."""
    inputs = [x.requires_grad_() for x in inputs]
    result = function(*inputs)
    gradients = torch.autograd.grad(result, inputs, result.detach())
    parts = [x.detach().contiguous().numpy().tobytes() for x in (result, *gradients)]
    return " ".join(hashlib.sha256(part).hexdigest()[:8] for part in parts)


if __name__ == "__main__":
    calls = kernels()
    for name in sys.argv[1:] or calls:
        print(name, digest(*calls[name]))
