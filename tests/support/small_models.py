"""Models that compute in milliseconds."""

from typing import Any

import torch

from lifecode.models import CodonCodec, LifeCode

CODEC_SIZES = {"nucleotide_dim": 16, "conv_channels": 8, "num_heads": 2, "translator_hidden": 16}
SIZES = {"width": 32, "depth": 2, "hybrid_ratio": "1:1", "num_heads": 2, "attention_head_dim": 16}


def small_codec(seed: int = 0, **changes: Any) -> CodonCodec:
    """A codec of 16 features a nucleotide with these weights."""
    torch.manual_seed(seed)
    return CodonCodec(**{**CODEC_SIZES, **changes})


def small_model(seed: int = 0, codec: dict[str, Any] | None = None, **changes: Any) -> LifeCode:
    """A model of a Gated DeltaNet layer and one of attention, with weights so large that both have a say."""
    lively = {"init_std": 0.2, "layer_scale": 0.7}
    return LifeCode(codec=small_codec(seed, **(codec or {})), **{**SIZES, **lively, **changes})
