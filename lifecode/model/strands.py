"""How the two strands of a segment pass through one shared stack (Life-Code 2.4).

`paper`: the input is split along its features into E(+) and E(-), the second is read backwards. It
reverses without complementing, so it is not equivariant under reverse complement. `forward` reads one
strand only, for ablation.
"""

from collections.abc import Callable
from typing import Literal

import torch
from torch import Tensor

from lifecode.ops.segments import reverse_segments_index

Strands = Literal["paper", "forward"]
Stack = Callable[[Tensor, Tensor], Tensor]


def num_strands(strands: Strands) -> int:
    """How many strands, each as wide as the stack, the input projection makes."""
    return 2 if strands == "paper" else 1


def through_both_strands(stack: Stack, x: Tensor, cu_seqlens: Tensor) -> Tensor:
    """[f(E+), flip(f(flip(E-)))] of `x` (L, 2d): one call of `stack` on a row of twice as many segments."""
    num_codons = len(x)
    flip = reverse_segments_index(cu_seqlens, num_codons)
    plus, minus = x.chunk(2, dim=-1)
    both = torch.cat([plus, minus[flip]])
    borders = torch.cat([cu_seqlens, cu_seqlens[1:] + num_codons])
    hidden_plus, hidden_minus = stack(both, borders).split(num_codons)
    return torch.cat([hidden_plus, hidden_minus[flip]], dim=-1)
