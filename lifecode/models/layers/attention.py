"""Multi-head self-attention inside each segment of a packed row, with rotary positions."""

from typing import Any, Self

import torch
from torch import Tensor, nn

from lifecode.errors import UserError
from lifecode.models.layers.mixers import Mixer, StackShape, register_mixer
from lifecode.models.layers.norm import at_least_fp32
from lifecode.models.layers.value_bytes import FLOAT32
from lifecode.ops import segment_attention
from lifecode.ops.segments import positions_in_segment


@register_mixer("mhsa", letter="A")
class SelfAttention(Mixer):
    """Bidirectional attention with RoPE that restarts at every segment.

    Args:
        width: d, a multiple of `head_dim`.
        head_dim: D of one head (64 in Life-Code; d / 64 heads).
        rope_base: base of the rotary frequencies.
        bias: of all four projections.
    """

    def __init__(
        self, *, width: int, head_dim: int = 64, rope_base: float = 10_000.0, bias: bool = False
    ) -> None:
        super().__init__()
        self.head_dim, self.rope_base = head_dim, rope_base
        self.q_proj = nn.Linear(width, width, bias=bias)
        self.k_proj = nn.Linear(width, width, bias=bias)
        self.v_proj = nn.Linear(width, width, bias=bias)
        self.o_proj = nn.Linear(width, width, bias=bias)

    @classmethod
    def in_stack(cls, shape: StackShape, **options: Any) -> Self:
        """A layer of an encoder.

        Raises:
            UserError: the width does not divide into heads.
        """
        if shape.width % shape.attention_head_dim or shape.attention_head_dim % 2:
            raise UserError(
                f"width {shape.width} does not divide into attention heads of {shape.attention_head_dim}, an "
                "even number",
                source="model.width",
                remedy="Choose a width that model.attention_head_dim divides",
            )
        return cls(**{"width": shape.width, "head_dim": shape.attention_head_dim, **options})

    def mixing_flops(self, positions: float, pairs: float) -> float:
        """Scores and weighted values, 2 d each for every pair; `positions` have no effect."""
        return 4 * self.q_proj.in_features * pairs

    def kept_bytes(self, low: int) -> float:
        """The input, 5 d more, and the rotary angles, 2 D."""
        return 6 * self.q_proj.in_features * low + 2 * self.head_dim * FLOAT32

    def forward(self, x: Tensor, cu_seqlens: Tensor) -> Tensor:
        """Mixes (T, d) inside each segment of `cu_seqlens` (S + 1,); returns (T, d)."""
        q, k, v = (
            proj(x).unflatten(-1, (-1, self.head_dim)) for proj in (self.q_proj, self.k_proj, self.v_proj)
        )
        angles = _rope_angles(positions_in_segment(cu_seqlens, len(x)), self.head_dim, self.rope_base)
        q, k, v = _rotated(q, angles)[None], _rotated(k, angles)[None], v[None]
        attended = segment_attention(q, k, v, cu_seqlens).squeeze(0)
        return self.o_proj(attended.flatten(-2))


def _rope_angles(positions: Tensor, head_dim: int, base: float) -> Tensor:
    """Rotation angles (T, D / 2) in fp32 of integer positions (T,)."""
    exponents = torch.arange(0, head_dim, 2, device=positions.device, dtype=torch.float32) / head_dim
    return positions[:, None].float() * base**-exponents


def _rotated(x: Tensor, angles: Tensor) -> Tensor:
    """Rotates the feature pairs (i, i + D/2) of (T, H, D) by `angles` (T, D / 2)."""
    cos, sin = angles.cos()[:, None], angles.sin()[:, None]
    first, second = at_least_fp32(x).chunk(2, dim=-1)
    return torch.cat([first * cos - second * sin, second * cos + first * sin], dim=-1).to(x.dtype)
