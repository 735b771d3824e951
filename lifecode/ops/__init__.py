"""Kernels behind one signature each: delta rule, short convolution, attention in segments, row arithmetic."""

from lifecode.ops.attention import segment_attention
from lifecode.ops.convolution.boundary import short_convolution, short_convolutions
from lifecode.ops.cpu import forked  # noqa: F401  # takes effect by being imported
from lifecode.ops.delta_rule.boundary import gated_delta_rule
from lifecode.ops.rows.boundary import rms_norm, rms_norm_and_keep, scaled_sum, silu_gate

__all__ = [
    "gated_delta_rule",
    "rms_norm",
    "rms_norm_and_keep",
    "scaled_sum",
    "segment_attention",
    "short_convolution",
    "short_convolutions",
    "silu_gate",
]
