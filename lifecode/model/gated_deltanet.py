"""Gated DeltaNet (Yang et al. 2024): linear attention that forgets by a gate and writes by the delta rule.

Parameter names and shapes equal those of flash-linear-attention's `GatedDeltaNet`, so a state dict moves
both ways.
"""

import math
from typing import Literal

import torch
from torch import Tensor, nn
from torch.nn import functional

from lifecode.model.norm import GatedRMSNorm
from lifecode.ops import gated_delta_rule, short_convolution

CONVOLUTION_WIDTH = 4
L2_EPS = 1e-6

Direction = Literal["forward", "both"]


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
        gate = self.g_proj(x).unflatten(-1, (self.num_heads, -1))
        log_decay = -self.A_log.float().exp() * functional.softplus(
            self.a_proj(x).float() + self.dt_bias.float()
        )
        beta = self.b_proj(x).float().sigmoid()
        projected = self.q_proj(x), self.k_proj(x), self.v_proj(x)
        readings = [self._read(*projected, log_decay, beta, cu_seqlens, reverse=False)]
        if self.direction == "both":
            readings.append(self._read(*projected, log_decay, beta, cu_seqlens, reverse=True))
        normed = [self.o_norm(reading, gate) for reading in readings]
        mixed = normed[0] if len(normed) == 1 else (normed[0] + normed[1]) / 2
        return self.o_proj(mixed.flatten(-2))

    def _read(
        self,
        q: Tensor,
        k: Tensor,
        v: Tensor,
        log_decay: Tensor,
        beta: Tensor,
        cu_seqlens: Tensor,
        *,
        reverse: bool,
    ) -> Tensor:
        """One reading direction: convolution, normalisation and recurrence, (T, H, V)."""

        def convolved(x: Tensor, convolution: nn.Conv1d) -> Tensor:
            y = short_convolution(
                x[None], convolution.weight.squeeze(1), cu_seqlens=cu_seqlens, reverse=reverse
            )
            return y.unflatten(-1, (self.num_heads, -1))

        return gated_delta_rule(
            _l2_normalised(convolved(q, self.q_conv1d)),
            _l2_normalised(convolved(k, self.k_conv1d)),
            convolved(v, self.v_conv1d),
            log_decay[None],
            beta[None],
            cu_seqlens=cu_seqlens,
            reverse=reverse,
        )[0]


def _depthwise(channels: int) -> nn.Conv1d:
    """Holds the weight (C, 1, 4) under the name that flash-linear-attention gives it."""
    return nn.Conv1d(channels, channels, CONVOLUTION_WIDTH, groups=channels, bias=False)


def _l2_normalised(x: Tensor) -> Tensor:
    return x * torch.rsqrt(x.float().square().sum(-1, keepdim=True) + L2_EPS).to(x.dtype)
