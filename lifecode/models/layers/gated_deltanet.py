"""Gated DeltaNet (Yang et al. 2024): linear attention that forgets by a gate and writes by the delta rule.

Parameter names and shapes equal those of flash-linear-attention's `GatedDeltaNet`, so a state dict moves
both ways.
"""

import math
from collections.abc import Sequence
from typing import Any, ClassVar, Literal, NamedTuple, Self

import torch
from torch import Tensor, nn
from torch.nn import functional

from lifecode.errors import UserError
from lifecode.models.layers.joint_linear import joint_linear
from lifecode.models.layers.mixers import Mixer, StackShape, register_mixer
from lifecode.models.layers.norm import GatedRMSNorm, at_least_fp32
from lifecode.models.layers.value_bytes import FLOAT32
from lifecode.ops import gated_delta_rule, short_convolutions

_L2_EPS = 1e-6
_STATE_EVERY = 64
"""Positions between the states that the delta rule keeps for its backward pass."""

Direction = Literal["forward", "both"]


class Memory(NamedTuple):
    """What a layer keeps of the positions it has read, so that reading can go on.

    Attributes:
        projected: of q, k and v side by side the last rows, one fewer than the convolution is wide,
            (3, 2 H K + H V) for a width of 4, as they are before it.
        state: of the recurrence [1, H, K, V].
    """

    projected: Tensor
    state: Tensor


@register_mixer("gdn", letter="G")
class GatedDeltaNet(Mixer):
    """One Gated DeltaNet mixer over a packed row.

    q, k, v are projected, pass a short causal depth-wise convolution and SiLU; q and k are
    L2-normalised; decay is g = -exp(A_log) softplus(a(x) + dt_bias) and write strength beta = sigmoid(b(x));
    the output is RMS-normalised, gated by SiLU(g(x)) and projected.

    Args:
        width: d, features per position.
        num_heads: H.
        key_dim: K, of one head.
        value_dim: V, of one head.
        direction: `forward` reads each segment from its start. `both` reads it from either end with the
            same weights and averages what the two readings give, before the output projection.
        short_conv_width: positions that the convolution sees, the current one among them.
        norm_eps: of the output norm.
        negative_eigenvalues: write strengths of 0 to 2, not 1: above 1 what stood at a key changes its sign,
            the state's transition has a negative eigenvalue (Grazzi et al. 2024).
    """

    streams: ClassVar[bool] = True

    def __init__(
        self,
        *,
        width: int,
        num_heads: int,
        key_dim: int,
        value_dim: int,
        direction: Direction = "forward",
        short_conv_width: int = 4,
        norm_eps: float = 1e-5,
        negative_eigenvalues: bool = False,
    ) -> None:
        super().__init__()
        if short_conv_width < 1:
            raise UserError(
                f"a convolution of {short_conv_width} positions sees none",
                remedy="4 is the default; 1 sees the current position alone",
            )
        self.num_heads, self.direction = num_heads, direction
        self.negative_eigenvalues = negative_eigenvalues
        all_keys, all_values = num_heads * key_dim, num_heads * value_dim
        self.q_proj = nn.Linear(width, all_keys, bias=False)
        self.k_proj = nn.Linear(width, all_keys, bias=False)
        self.v_proj = nn.Linear(width, all_values, bias=False)
        self.a_proj = nn.Linear(width, num_heads, bias=False)
        self.b_proj = nn.Linear(width, num_heads, bias=False)
        self.g_proj = nn.Linear(width, all_values, bias=False)
        self.o_proj = nn.Linear(all_values, width, bias=False)
        self.q_conv1d = _depthwise(all_keys, short_conv_width)
        self.k_conv1d = _depthwise(all_keys, short_conv_width)
        self.v_conv1d = _depthwise(all_values, short_conv_width)
        self.A_log = nn.Parameter(torch.empty(num_heads))
        self.dt_bias = nn.Parameter(torch.empty(num_heads))
        self.o_norm = GatedRMSNorm(value_dim, eps=norm_eps)
        self.reset_gates()

    @classmethod
    def in_stack(cls, shape: StackShape, **options: Any) -> Self:
        """A layer of an encoder: K = 0.75 d / H and V = 2 K.

        Raises:
            UserError: the width does not divide so.
        """
        if 3 * shape.width % (4 * shape.num_heads):
            raise UserError(
                f"width {shape.width} does not divide into {shape.num_heads} Gated DeltaNet heads of "
                "0.75 width / heads",
                source="model.width",
                remedy="Choose a width that 4/3 x model.num_heads divides",
            )
        key_dim = 3 * shape.width // (4 * shape.num_heads)
        sizes = {"key_dim": key_dim, "value_dim": 2 * key_dim, "short_conv_width": shape.short_conv_width}
        return cls(**{"width": shape.width, "num_heads": shape.num_heads, **sizes, **options})

    def mixing_flops(self, positions: float, pairs: float) -> float:
        """6 H K V per position and reading (recall, write, read, 2 K V each), and its convolutions.

        `pairs` have no effect.
        """
        values_per_head = self.v_proj.out_features // self.num_heads
        rule = 6 * self.k_proj.out_features * values_per_head
        convolutions = sum(x.weight.numel() for x in (self.q_conv1d, self.k_conv1d, self.v_conv1d))
        return self._num_readings * positions * (rule + 2 * convolutions)

    def kept_bytes(self, low: int) -> float:
        """The input, H K (2 + 2 R) + H V (3 + 2 R) values for R readings, and in float32 what the rule keeps.

        That is H V R numbers, and a state of H K V every 64 positions.
        """
        readings, keys, values = self._num_readings, self.k_proj.out_features, self.v_proj.out_features
        states = readings * keys * values / self.num_heads / _STATE_EVERY
        rows = self.k_proj.in_features + keys * (2 + 2 * readings) + values * (3 + 2 * readings)
        return rows * low + (values * readings + states) * FLOAT32

    def gates(self) -> list[Tensor]:
        """The projections to decay and write strength, of one column a head."""
        return [self.a_proj.weight, self.b_proj.weight]

    @property
    def _num_readings(self) -> int:
        return 2 if self.direction == "both" else 1

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
            reading = gated_delta_rule(*operands, norm_eps=_L2_EPS, cu_seqlens=cu_seqlens, reverse=reverse)
            readings.append(reading.squeeze(0))  # the gradient of [0] would be a copy
        return self.mix(x, readings)

    def blank_memory(self) -> Memory:
        """What the layer remembers before the first position of a segment: nothing."""
        weight, keys, values = self.v_proj.weight, self.k_proj.out_features, self.v_proj.out_features
        rows = weight.new_zeros(self._num_carried, 2 * keys + values)
        shape = (1, self.num_heads, keys // self.num_heads, values // self.num_heads)
        state = at_least_fp32(weight).new_zeros(shape)
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
        num_carried = self._num_carried
        old, new = memory.projected, self._project(x)
        rows = torch.cat([new, old] if reverse else [old, new])
        convolved = [y[: len(x)] if reverse else y[num_carried:] for y in self._convolve(rows, reverse)]
        reading, state = gated_delta_rule(
            *self._operands(convolved, self._gates(x)),
            norm_eps=_L2_EPS,
            initial_state=memory.state,
            return_state=True,
            reverse=reverse,
        )
        # Cloned: a view would keep the whole stretch in memory.
        kept = rows[:num_carried] if reverse else rows[len(rows) - num_carried :]
        return reading.squeeze(0), Memory(kept.clone(), state)

    def mix(self, x: Tensor, readings: Sequence[Tensor]) -> Tensor:
        """Output (T, d) from the readings (T, H, V), one for each direction: normed, gated, averaged."""
        gate = self.g_proj(x).unflatten(-1, (self.num_heads, -1))
        normed = [self.o_norm(reading, gate) for reading in readings]
        mixed = normed[0] if len(normed) == 1 else (normed[0] + normed[1]) / 2
        return self.o_proj(mixed.flatten(-2))

    @property
    def _num_carried(self) -> int:
        """Rows before the next position that its convolution still sees."""
        return self.q_conv1d.kernel_size[0] - 1

    def _project(self, x: Tensor) -> Tensor:
        return joint_linear(x, [self.q_proj, self.k_proj, self.v_proj])

    def _gates(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Log decay and write strength (T, H)."""
        rate, bias = at_least_fp32(self.A_log).exp(), at_least_fp32(self.dt_bias)
        decay, strength = at_least_fp32(joint_linear(x, [self.a_proj, self.b_proj])).chunk(2, dim=-1)
        strength = 2 * strength.sigmoid() if self.negative_eigenvalues else strength.sigmoid()
        return -rate * functional.softplus(decay + bias), strength

    def _convolve(self, projected: Tensor, reverse: bool, cu_seqlens: Tensor | None = None) -> list[Tensor]:
        weights = [conv.weight.squeeze(1) for conv in (self.q_conv1d, self.k_conv1d, self.v_conv1d)]
        convolved = short_convolutions(projected[None], weights, cu_seqlens=cu_seqlens, reverse=reverse)
        return [x.squeeze(0) for x in convolved]

    def _operands(self, convolved: Sequence[Tensor], gates: tuple[Tensor, Tensor]) -> list[Tensor]:
        """q, k, v, g, beta of the recurrence, one row each; queries and keys are not normalised yet."""
        return [x[None] for x in (*(x.unflatten(-1, (self.num_heads, -1)) for x in convolved), *gates)]


def _depthwise(channels: int, width: int) -> nn.Conv1d:
    """Holds the weight (C, 1, width) under the name that flash-linear-attention gives it."""
    return nn.Conv1d(channels, channels, width, groups=channels, bias=False)
