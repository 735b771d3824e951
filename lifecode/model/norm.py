"""Normalisation and residual scaling: RMSNorm, its gated form, LayerScale."""

import torch
from torch import Tensor, nn
from torch.nn import functional


def at_least_fp32(x: Tensor) -> Tensor:
    """`x` in fp32 if it is of lower precision, else as it is."""
    return x.to(torch.promote_types(x.dtype, torch.float32))


class RMSNorm(nn.Module):
    """Root-mean-square norm over the last axis, in fp32 or better: x / sqrt(mean(x^2) + eps) * weight."""

    def __init__(self, width: int, eps: float = 1e-5) -> None:
        super().__init__()
        self.eps = eps
        self.weight = nn.Parameter(torch.ones(width))

    def forward(self, x: Tensor) -> Tensor:
        """Normalises (..., width); the result has the dtype of `x`."""
        full = at_least_fp32(x)
        return functional.rms_norm(full, x.shape[-1:], self.weight.to(full.dtype), self.eps).to(x.dtype)


class GatedRMSNorm(RMSNorm):
    """RMSNorm whose result is multiplied by SiLU(gate), the output norm of Gated DeltaNet."""

    def forward(self, x: Tensor, gate: Tensor) -> Tensor:  # pyright: ignore[reportIncompatibleMethodOverride]
        """Normalises and gates (..., width); `gate` has the shape of `x`."""
        return super().forward(x) * functional.silu(gate)


class LayerScale(nn.Module):
    """A learned factor for each feature of a residual branch.

    It starts at 0.1: the 1e-5 of very deep vision models keeps a short run from moving at all.
    """

    def __init__(self, width: int, initial: float = 0.1) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.full((width,), initial))

    def forward(self, x: Tensor) -> Tensor:
        """Scales (..., width)."""
        return x * self.weight
