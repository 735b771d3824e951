"""Gated DeltaNet (Yang et al. 2024): linear attention that forgets by a gate and writes by the delta rule.

Parameter names and shapes equal those of flash-linear-attention's `GatedDeltaNet`, so a state dict moves
both ways.
"""

import math
from collections.abc import Sequence
from typing import Literal, NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional

from lifecode.models.layers.norm import GatedRMSNorm, at_least_fp32
from lifecode.ops import gated_delta_rule, l2_norm, short_convolution

CONVOLUTION_WIDTH = 4
L2_EPS = 1e-6

Direction = Literal["forward", "both"]


class Memory(NamedTuple):
    """What a layer keeps of the positions it has read, so that reading can go on.

    Attributes:
        projected: of q, k and v the last three rows (3, H K) or (3, H V), before their convolution.
        state: of the recurrence [1, H, K, V].
    """

    projected: list[Tensor]
    state: Tensor


class GatedDeltaNet(nn.Module):
    """One Gated DeltaNet mixer over a packed row.

    q, k, v are projected, pass a causal depth-wise convolution of width 4 and SiLU; q and k are
    L2-normalised; decay is g = -exp(A_log) softplus(a(x) + dt_bias) and write strength beta = sigmoid(b(x));
    the output is RMS-normalised, gated by SiLU(g(x)) and projected.

    Args:
        width: d, features a position.
        num_heads: H.
        key_dim: K, of one head.
        value_dim: V, of one head.
        direction: `forward` reads each segment from its start. `both` reads it from either end with the
            same weights and averages what the two readings give, before the output projection.
        norm_eps: of the output norm.
    """

    def __init__(
        self,
        *,
        width: int,
        num_heads: int,
        key_dim: int,
        value_dim: int,
        direction: Direction = "forward",
        norm_eps: float = 1e-5,
    ) -> None:
        super().__init__()
        self.num_heads, self.direction = num_heads, direction
        all_keys, all_values = num_heads * key_dim, num_heads * value_dim
        self.q_proj = nn.Linear(width, all_keys, bias=False)
        self.k_proj = nn.Linear(width, all_keys, bias=False)
        self.v_proj = nn.Linear(width, all_values, bias=False)
        self.a_proj = nn.Linear(width, num_heads, bias=False)
        self.b_proj = nn.Linear(width, num_heads, bias=False)
        self.g_proj = nn.Linear(width, all_values, bias=False)
        self.o_proj = nn.Linear(all_values, width, bias=False)
        self.q_conv1d = _depthwise(all_keys)
        self.k_conv1d = _depthwise(all_keys)
        self.v_conv1d = _depthwise(all_values)
        self.A_log = nn.Parameter(torch.empty(num_heads))
        self.dt_bias = nn.Parameter(torch.empty(num_heads))
        self.o_norm = GatedRMSNorm(value_dim, eps=norm_eps)
        self.reset_gates()

    def reset_gates(self) -> None:
        """Draws rates uniform in (0, 16) and time steps log-uniform in (0.001, 0.1), as Mamba-2 does."""
        with torch.no_grad():
            self.A_log.uniform_(1e-4, 16.0).log_()
            step = (
                torch.empty_like(self.dt_bias).uniform_(math.log(1e-3), math.log(0.1)).exp().clamp(min=1e-4)
            )
            self.dt_bias.copy_(step + torch.log(-torch.expm1(-step)))

    def forward(self, x: Tensor, cu_seqlens: Tensor) -> Tensor:
        """Mixes (T, d) inside each segment of `cu_seqlens` (S + 1,); returns (T, d)."""
        projected, gates = self._project(x), self._gates(x)
        directions = (False, True) if self.direction == "both" else (False,)
        readings = []
        for reverse in directions:
            operands = self._operands(self._convolve(projected, reverse, cu_seqlens), gates)
            readings.append(gated_delta_rule(*operands, cu_seqlens=cu_seqlens, reverse=reverse)[0])
        return self.mix(x, readings)

    def blank_memory(self) -> Memory:
        """What the layer remembers before the first position of a segment: nothing."""
        weight = self.v_proj.weight
        rows = [
            weight.new_zeros(CONVOLUTION_WIDTH - 1, projection.out_features)
            for projection in (self.q_proj, self.k_proj, self.v_proj)
        ]
        key_dim, value_dim = (rows[i].shape[1] // self.num_heads for i in (1, 2))
        state = at_least_fp32(weight).new_zeros(1, self.num_heads, key_dim, value_dim)
        return Memory(rows, state)

    def read_on(self, x: Tensor, memory: Memory, *, reverse: bool = False) -> tuple[Tensor, Memory]:
        """Reads the next stretch of one segment, going on where `memory` ends.

        Args:
            x: (T, d), the positions behind those that were read, or before them with `reverse`.
            memory: of the positions read so far in this direction.
            reverse: read from the last position to the first.

        Returns:
            The reading (T, H, V), for `mix`, and the memory after it.
        """
        num_carried = CONVOLUTION_WIDTH - 1
        pairs = zip(memory.projected, self._project(x), strict=True)
        rows = [torch.cat([new, old] if reverse else [old, new]) for old, new in pairs]
        convolved = [y[: len(x)] if reverse else y[num_carried:] for y in self._convolve(rows, reverse)]
        reading, state = gated_delta_rule(
            *self._operands(convolved, self._gates(x)),
            initial_state=memory.state,
            return_state=True,
            reverse=reverse,
        )
        # Cloned: a view would keep the whole stretch in memory.
        kept = [(y[:num_carried] if reverse else y[-num_carried:]).clone() for y in rows]
        return reading[0], Memory(kept, state)

    def mix(self, x: Tensor, readings: Sequence[Tensor]) -> Tensor:
        """Output (T, d) from the readings (T, H, V), one for each direction: normed, gated, averaged."""
        gate = self.g_proj(x).unflatten(-1, (self.num_heads, -1))
        normed = [self.o_norm(reading, gate) for reading in readings]
        mixed = normed[0] if len(normed) == 1 else (normed[0] + normed[1]) / 2
        return self.o_proj(mixed.flatten(-2))

    def _project(self, x: Tensor) -> list[Tensor]:
        return [self.q_proj(x), self.k_proj(x), self.v_proj(x)]

    def _gates(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Log decay and write strength (T, H)."""
        rate, bias = at_least_fp32(self.A_log).exp(), at_least_fp32(self.dt_bias)
        log_decay = -rate * functional.softplus(at_least_fp32(self.a_proj(x)) + bias)
        return log_decay, at_least_fp32(self.b_proj(x)).sigmoid()

    def _convolve(
        self, projected: Sequence[Tensor], reverse: bool, cu_seqlens: Tensor | None = None
    ) -> list[Tensor]:
        convolutions = (self.q_conv1d, self.k_conv1d, self.v_conv1d)
        return [
            short_convolution(x[None], convolution.weight.squeeze(1), cu_seqlens=cu_seqlens, reverse=reverse)[
                0
            ]
            for x, convolution in zip(projected, convolutions, strict=True)
        ]

    def _operands(self, convolved: Sequence[Tensor], gates: tuple[Tensor, Tensor]) -> list[Tensor]:
        """q, k, v, g, beta of the recurrence, one row each; queries and keys normalised."""
        q, k, v = (x.unflatten(-1, (self.num_heads, -1)) for x in convolved)
        return [x[None] for x in (_l2_normalised(q), _l2_normalised(k), v, *gates)]


def _depthwise(channels: int) -> nn.Conv1d:
    """Holds the weight (C, 1, 4) under the name that flash-linear-attention gives it."""
    return nn.Conv1d(channels, channels, CONVOLUTION_WIDTH, groups=channels, bias=False)


def _l2_normalised(x: Tensor) -> Tensor:
    return l2_norm(at_least_fp32(x), eps=L2_EPS).to(x.dtype)
