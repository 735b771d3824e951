"""Normalisation and residual branches: RMSNorm, its gated form, LayerNorm; LayerScale, plain sum."""

import torch
from torch import Tensor, nn
from torch.nn import functional

from lifecode.ops import rms_norm, scaled_sum


def at_least_fp32(x: Tensor) -> Tensor:
    """`x` in fp32 if it is of lower precision, else as it is."""
    return x.to(torch.promote_types(x.dtype, torch.float32))


class RMSNorm(nn.Module):
    """Root-mean-square norm over the last axis, in fp32 or better: x / sqrt(mean(x^2) + eps) * weight.

    The residual stream is in fp32 also where the weights are in half precision; what leaves the norm is then
    in the precision of the weights, for the products behind it.
    """

    def __init__(self, width: int, eps: float = 1e-5) -> None:
        super().__init__()
        self.eps = eps
        self.weight = nn.Parameter(torch.ones(width))

    def forward(self, x: Tensor) -> Tensor:
        """Normalises (..., width); the result has the dtype of `x`, or of weights in half precision."""
        full = at_least_fp32(x)
        dtype = self.weight.dtype if self.weight.dtype.itemsize < 4 else x.dtype
        return rms_norm(full, self.weight.to(full.dtype), eps=self.eps).to(dtype)


class GatedRMSNorm(RMSNorm):
    """RMSNorm whose result is multiplied by SiLU(gate), the output norm of Gated DeltaNet."""

    def forward(self, x: Tensor, gate: Tensor) -> Tensor:  # pyright: ignore[reportIncompatibleMethodOverride]
        """Normalises and gates (..., width) in fp32 or better; `gate` has the shape and gives the dtype."""
        full = at_least_fp32(x)
        opening = gate.to(full.dtype)
        return rms_norm(full, self.weight.to(full.dtype), eps=self.eps, gate=opening).to(gate.dtype)


class LayerNorm(nn.Module):
    """Norm over the last axis by mean and variance, with a bias; precision as for `RMSNorm`."""

    def __init__(self, width: int, eps: float = 1e-5) -> None:
        super().__init__()
        self.eps = eps
        self.weight = nn.Parameter(torch.ones(width))
        self.bias = nn.Parameter(torch.zeros(width))

    def forward(self, x: Tensor) -> Tensor:
        """Normalises (..., width); the result has the dtype of `x`, or of weights in half precision."""
        full = at_least_fp32(x)
        dtype = self.weight.dtype if self.weight.dtype.itemsize < 4 else x.dtype
        weight, bias = self.weight.to(full.dtype), self.bias.to(full.dtype)
        return functional.layer_norm(full, weight.shape, weight, bias, self.eps).to(dtype)


class PlainSum(nn.Module):
    """Adds a residual branch as it is."""

    def forward(self, x: Tensor, branch: Tensor) -> Tensor:
        """x + branch, both (..., width), in the dtype of `x`."""
        return x + branch.to(x.dtype)


class LayerScale(nn.Module):
    """Adds a residual branch, each of its features times a learned factor.

    It starts at 0.1: the 1e-5 of very deep vision models keeps a short run from moving at all.
    """

    def __init__(self, width: int, initial: float = 0.1) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.full((width,), float(initial)))

    def forward(self, x: Tensor, branch: Tensor) -> Tensor:
        """x + weight * branch, both (..., width), in the dtype of `x`."""
        return scaled_sum(x, branch.to(x.dtype), self.weight.to(x.dtype))
