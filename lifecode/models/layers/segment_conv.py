"""A width-3 convolution along a packed row that sees zeros beyond each segment's border."""

import torch
from torch import Tensor, nn

from lifecode.ops.segments import segment_ids


class SegmentConv1d(nn.Conv1d):
    """Conv1d with kernel 3, stride 1 and padding 1 inside each segment."""

    def __init__(self, in_channels: int, out_channels: int) -> None:
        super().__init__(in_channels, out_channels, kernel_size=3, padding=1)

    def forward(self, x: Tensor, cu_seqlens: Tensor) -> Tensor:  # pyright: ignore[reportIncompatibleMethodOverride]
        """Convolves (N, C_in) along N inside each segment of `cu_seqlens` (S + 1,); returns (N, C_out)."""
        segment = segment_ids(cu_seqlens, len(x))
        same = (segment[1:] == segment[:-1]).unsqueeze(-1).to(x.dtype)
        border = x.new_zeros(1, x.shape[1])
        before = torch.cat([border, x[:-1] * same])
        after = torch.cat([x[1:] * same, border])
        taps = torch.cat([before, x, after], dim=-1)
        return nn.functional.linear(taps, self.weight.permute(0, 2, 1).flatten(1), self.bias)
