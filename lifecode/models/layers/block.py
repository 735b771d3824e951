"""The pre-norm residual block around a mixer, and its SwiGLU feed-forward."""

from torch import Tensor, nn

from lifecode.models.layers.mixers import Mixer
from lifecode.models.layers.norm import LayerScale, RMSNorm
from lifecode.ops import silu_gate

_FLOAT32 = 4


def swiglu_hidden_width(width: int, multiple: int = 64) -> int:
    """8/3 of the width, rounded up to a multiple of 64."""
    return -(-8 * width // (3 * multiple)) * multiple


def matched_hidden_width(width: int, missing_parameters: int, multiple: int = 8) -> int:
    """Hidden width of a feed-forward with `missing_parameters` more than that of `swiglu_hidden_width`.

    Rounded to the nearest multiple of 8, the least that bf16 matrix units like: at most 12 d parameters too
    many or too few, 0.7 % of a layer at d = 128 and 0.1 % at 1024. Of 64 it would be 5 % and 0.7 %.
    """
    exact = swiglu_hidden_width(width) + missing_parameters / (3 * width)
    return round(exact / multiple) * multiple


class SwiGLU(nn.Module):
    """down(SiLU(gate(x)) * up(x)), three projections without biases."""

    def __init__(self, width: int, hidden_width: int) -> None:
        super().__init__()
        self.gate_proj = nn.Linear(width, hidden_width, bias=False)
        self.up_proj = nn.Linear(width, hidden_width, bias=False)
        self.down_proj = nn.Linear(hidden_width, width, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        """Maps (..., d) to (..., d)."""
        return self.down_proj(silu_gate(self.gate_proj(x), self.up_proj(x)))


class Block(nn.Module):
    """x + scale * mixer(norm(x)), then x + scale * feed_forward(norm(x)), on a packed row.

    Args:
        mixer: of any kind.
        width: d.
        layer_scale: initial factor of both residual branches.
        feed_forward_width: hidden width of the feed-forward; None for `swiglu_hidden_width(width)`.
    """

    def __init__(
        self,
        mixer: Mixer,
        *,
        width: int,
        layer_scale: float = 0.1,
        feed_forward_width: int | None = None,
    ) -> None:
        super().__init__()
        self.mixer_norm = RMSNorm(width)
        self.mixer = mixer
        self.mixer_scale = LayerScale(width, layer_scale)
        self.feed_forward_norm = RMSNorm(width)
        self.feed_forward = SwiGLU(width, feed_forward_width or swiglu_hidden_width(width))
        self.feed_forward_scale = LayerScale(width, layer_scale)

    def forward(self, x: Tensor, cu_seqlens: Tensor) -> Tensor:
        """Maps (T, d) to (T, d)."""
        return self.after_mixer(x, self.mixer(self.mixer_norm(x), cu_seqlens))

    def after_mixer(self, x: Tensor, mixed: Tensor) -> Tensor:
        """The rest of the block, given its input and what the mixer made of it, both (T, d)."""
        x = self.mixer_scale(x, mixed)
        return self.feed_forward_scale(x, self.feed_forward(self.feed_forward_norm(x)))

    def kept_bytes(self, low: int) -> float:
        """Bytes per position that a forward pass keeps for the backward pass.

        Of the residual stream with its two branches 4 d in float32; of the feed-forward of hidden width h its
        input and 3 h (under bf16 two copies of it, and 4 h); and what the mixer keeps.

        Args:
            low: bytes of a value in the precision of matrix products: 4, or 2 under bf16 autocast.
        """
        width, hidden = self.feed_forward.gate_proj.weight.shape[::-1]
        feed_forward = 2 * width + 4 * hidden if low < _FLOAT32 else width + 3 * hidden
        return 4 * width * _FLOAT32 + feed_forward * low + self.mixer.kept_bytes(low)
