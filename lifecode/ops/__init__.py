"""Kernels behind one signature each: the gated delta rule, the short convolution, attention in segments."""

from lifecode.ops.attention import segment_attention
from lifecode.ops.convolution import short_convolution
from lifecode.ops.delta_rule import gated_delta_rule

__all__ = ["gated_delta_rule", "segment_attention", "short_convolution"]
