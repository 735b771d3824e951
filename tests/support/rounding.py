"""How far rounding alone may carry a result, from how far the exact result moves with what it is made of.

A result in floating point is about the exact one of numbers that are each off by their last digit. So the
bound follows from the function itself: large where small differences of large numbers are what is asked for,
tiny where nothing cancels. A fixed tolerance would be wrong in both places.
"""

from collections.abc import Callable, Iterable, Sequence

import torch
from torch import Tensor

ROUNDINGS = 64
"""How often a number may be rounded on its way. Sums of hundreds of terms round like the square root of their
number: in models of two layers, float32 and float64, hidden states and gradients were off by at most 4."""

_CHANGE = 1e-8


def sensitivity(compute: Callable[[], Sequence[Tensor]], leaves: Iterable[Tensor]) -> list[float]:
    """By how much each result moves, for each relative change of the numbers it is made of, or of its own.

    Args:
        compute: the results in float64, anew from the leaves at every call.
        leaves: parameters or inputs in float64; they are changed on the way and put back.
    """
    leaves, draw = list(leaves), torch.Generator().manual_seed(0)
    before = [leaf.detach().clone() for leaf in leaves]
    exact = [x.detach().clone() for x in compute()]
    assert {x.dtype for x in (*leaves, *exact)} == {torch.float64}
    moved = [float(x.abs().max()) if x.numel() else 0.0 for x in exact]
    for _ in range(3):
        with torch.no_grad():
            for leaf, old in zip(leaves, before, strict=True):
                leaf.copy_(old * (1 + _CHANGE * torch.empty_like(old).uniform_(-1, 1, generator=draw)))
        for i, (x, y) in enumerate(zip(compute(), exact, strict=True)):
            moved[i] = max(moved[i], float((x.detach() - y).abs().max()) / _CHANGE if x.numel() else 0.0)
    with torch.no_grad():
        for leaf, old in zip(leaves, before, strict=True):
            leaf.copy_(old)
    return moved


def assert_equal_but_for_rounding(
    found: Sequence[Tensor],
    expected: Sequence[Tensor],
    moved: Sequence[float],
    dtype: torch.dtype | None = None,
) -> None:
    """Each result within the rounding of its dtype, or of the one it was computed in, of the expected one."""
    for i, (x, y, slope) in enumerate(zip(found, expected, moved, strict=True)):
        epsilon = torch.finfo(dtype or x.dtype).eps
        bound = ROUNDINGS * epsilon * slope
        torch.testing.assert_close(
            x.double(), y.double(), rtol=0, atol=bound, msg=lambda m, i=i: f"result {i}: {m}"
        )
