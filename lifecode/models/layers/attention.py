"""Multi-head self-attention inside each segment of a packed row, with rotary positions."""

import torch
from torch import Tensor, nn

from lifecode.models.layers.norm import at_least_fp32
from lifecode.ops import segment_attention
from lifecode.ops.segments import positions_in_segment


class SelfAttention(nn.Module):
    """Bidirectional attention with RoPE that restarts at every segment; no biases.

    Args:
        width: d, a multiple of `head_dim`.
        head_dim: D of one head (64 in Life-Code; d / 64 heads).
        rope_base: base of the rotary frequencies.
    """

    def __init__(self, *, width: int, head_dim: int = 64, rope_base: float = 10_000.0) -> None:
        super().__init__()
        self.head_dim, self.rope_base = head_dim, rope_base
        self.q_proj = nn.Linear(width, width, bias=False)
        self.k_proj = nn.Linear(width, width, bias=False)
        self.v_proj = nn.Linear(width, width, bias=False)
        self.o_proj = nn.Linear(width, width, bias=False)

    def forward(self, x: Tensor, cu_seqlens: Tensor) -> Tensor:
        """Mixes (T, d) inside each segment of `cu_seqlens` (S + 1,); returns (T, d)."""
        q, k, v = (
            proj(x).unflatten(-1, (-1, self.head_dim)) for proj in (self.q_proj, self.k_proj, self.v_proj)
        )
        angles = rope_angles(positions_in_segment(cu_seqlens, len(x)), self.head_dim, self.rope_base)
        attended = segment_attention(rotated(q, angles)[None], rotated(k, angles)[None], v[None], cu_seqlens)[
            0
        ]
        return self.o_proj(attended.flatten(-2))


def rope_angles(positions: Tensor, head_dim: int, base: float) -> Tensor:
    """Rotation angles (T, D / 2) in fp32 of integer positions (T,)."""
    exponents = torch.arange(0, head_dim, 2, device=positions.device, dtype=torch.float32) / head_dim
    return positions[:, None].float() * base**-exponents


def rotated(x: Tensor, angles: Tensor) -> Tensor:
    """Rotates the feature pairs (i, i + D/2) of (T, H, D) by `angles` (T, D / 2)."""
    cos, sin = angles.cos()[:, None], angles.sin()[:, None]
    first, second = at_least_fp32(x).chunk(2, dim=-1)
    return torch.cat([first * cos - second * sin, second * cos + first * sin], dim=-1).to(x.dtype)
