"""Models that compute in milliseconds."""

from typing import Any

import torch

from lifecode.models import CodonCodec, LifeCode, LucaOne

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


HEADS = {
    "gene_type": {"hidden": 6, "classes": 8},
    "prot_homo": {"hidden": 7, "classes": 5},
    "prot_site": {"hidden": 6, "classes": 4},
    "prot_domain": {"hidden": 9, "classes": 11},
    "gene_taxonomy": {"hidden": 5, "classes": 12},
    "prot_taxonomy": {"hidden": 5, "classes": 13},
    "prot_keyword": {"hidden": 5, "classes": 14},
    "prot_structure": {"hidden": 6, "classes": 3},
}
"""Of LucaOne, no two alike."""


def small_luca_one(seed: int = 0, **changes: Any) -> LucaOne:
    """A LucaOne of two layers with all heads, whose biases and norms have a say too; in evaluation mode."""
    torch.manual_seed(seed)
    model = LucaOne(**{"width": 32, "depth": 2, "num_heads": 4, "heads": HEADS, "init_std": 0.2, **changes})
    with torch.no_grad():
        for parameter in model.parameters():
            if parameter.dim() == 1:
                parameter += 0.2 * torch.randn_like(parameter)
    return model.eval()
