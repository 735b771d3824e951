"""Feed-forwards of a block: SwiGLU, and two layers around a GELU."""

from torch import Tensor, nn
from torch.nn import functional

from lifecode.models.layers.joint_linear import joint_linear
from lifecode.ops import silu_gate

_MULTIPLE, _FINE_MULTIPLE = 64, 8


def swiglu_hidden_width(width: int) -> int:
    """8/3 of the width, rounded up to a multiple of 64."""
    return -(-8 * width // (3 * _MULTIPLE)) * _MULTIPLE


def matched_hidden_width(width: int, missing_parameters: int) -> int:
    """Hidden width of a feed-forward with `missing_parameters` more than that of `swiglu_hidden_width`.

    Rounded to the nearest multiple of 8, the least that bf16 matrix units like: at most 12 d parameters too
    many or too few, 0.7 % of a layer at d = 128 and 0.1 % at 1024. Of 64 it would be 5 % and 0.7 %.
    """
    exact = swiglu_hidden_width(width) + missing_parameters / (3 * width)
    return round(exact / _FINE_MULTIPLE) * _FINE_MULTIPLE


class SwiGLU(nn.Module):
    """down(SiLU(gate(x)) * up(x)), three projections without biases."""

    def __init__(self, width: int, hidden_width: int) -> None:
        super().__init__()
        self.gate_proj = nn.Linear(width, hidden_width, bias=False)
        self.up_proj = nn.Linear(width, hidden_width, bias=False)
        self.down_proj = nn.Linear(hidden_width, width, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        """Maps (..., d) to (..., d)."""
        return self.down_proj(silu_gate(joint_linear(x, [self.gate_proj, self.up_proj])))

    def kept_bytes(self, low: int) -> float:
        """Bytes per position kept for the backward pass: its input, both projections and their product."""
        hidden, width = self.gate_proj.weight.shape
        return (width + 3 * hidden) * low


class GeluFeedForward(nn.Module):
    """down(GELU(up(x))) with the exact GELU; both projections have biases."""

    def __init__(self, width: int, hidden_width: int) -> None:
        super().__init__()
        self.up_proj = nn.Linear(width, hidden_width)
        self.down_proj = nn.Linear(hidden_width, width)

    def forward(self, x: Tensor) -> Tensor:
        """Maps (..., d) to (..., d)."""
        return self.down_proj(functional.gelu(self.up_proj(x)))

    def kept_bytes(self, low: int) -> float:
        """Bytes per position kept for the backward pass: its input, and the hidden layer on either side."""
        hidden, width = self.up_proj.weight.shape
        return (width + 2 * hidden) * low
