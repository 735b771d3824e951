"""Normalisation and residual branches: RMSNorm, its gated form, LayerNorm; LayerScale, plain sum."""

import torch
from torch import Tensor, nn
from torch.nn import functional

from lifecode.ops import rms_norm, rms_norm_and_keep, scaled_sum


def at_least_fp32(x: Tensor) -> Tensor:
    """`x` in fp32 if it is of lower precision, else as it is."""
    return x.to(torch.promote_types(x.dtype, torch.float32))


def _product_dtype(x: Tensor, weight: Tensor) -> torch.dtype:
    """In which matrix products read `x`: that of autocast, of weights in half precision, or of `x` itself."""
    if weight.dtype.itemsize < 4:
        return weight.dtype
    device = x.device.type
    casts = torch.is_autocast_enabled(device) and x.dtype != torch.float64
    return torch.get_autocast_dtype(device) if casts else x.dtype


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
        dtype = self.weight.dtype if self.weight.dtype.itemsize < 4 else x.dtype
        return rms_norm(x, self.weight, eps=self.eps, dtype=dtype)

    def of_branch(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """What a residual branch reads, in the dtype of matrix products, and `x` for the sum with it."""
        return rms_norm_and_keep(x, self.weight, eps=self.eps, dtype=_product_dtype(x, self.weight))


class GatedRMSNorm(RMSNorm):
    """RMSNorm whose result is multiplied by SiLU(gate), the output norm of Gated DeltaNet."""

    def forward(self, x: Tensor, gate: Tensor) -> Tensor:  # pyright: ignore[reportIncompatibleMethodOverride]
        """Normalises and gates (..., width) in fp32 or better; `gate` has the shape and gives the dtype."""
        return rms_norm(x, self.weight, eps=self.eps, gate=gate, dtype=gate.dtype)


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

    def of_branch(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """What a residual branch reads, in the dtype of matrix products, and `x` for the sum with it."""
        return self(x).to(_product_dtype(x, self.weight)), x


class PlainSum(nn.Module):
    """Adds a residual branch as it is."""

    def forward(self, x: Tensor, branch: Tensor) -> Tensor:
        """x + branch, both (..., width), in the dtype of `x`."""
        return x + branch.to(x.dtype)


class LayerScale(nn.Module):
    """Adds a residual branch, each of its features times a learned factor.

    Models start it at 0.1: the 1e-5 of very deep vision models keeps a short run from moving at all.
    """

    def __init__(self, width: int, initial: float) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.full((width,), float(initial)))

    def forward(self, x: Tensor, branch: Tensor) -> Tensor:
        """x + weight * branch, both (..., width), in the dtype of `x`."""
        return scaled_sum(x, branch, self.weight)
