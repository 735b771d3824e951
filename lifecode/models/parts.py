"""How many parameters each part of a model has."""

from collections.abc import Mapping

from torch import nn

from lifecode.models.life_code.codec import CodonCodec
from lifecode.models.life_code.model import LifeCode

Part = nn.Module | list[nn.Module] | None


def parameters_by_part(model: LifeCode) -> dict[str, int]:
    """Number of parameters by part; works on the meta device. The parts add up to the model."""
    encoder = model.encoder
    return codec_parameters_by_part(model.codec) | _counted(
        {
            "encoder layers": encoder.layers,
            "encoder projections and norm": [encoder.in_proj, encoder.norm, encoder.out_proj],
            "codon projection": model.codon_projection,
            "protein decoder": model.protein_decoder,
        }
    )


def codec_parameters_by_part(codec: CodonCodec) -> dict[str, int]:
    """The same of what stage 1 trains."""
    return _counted(
        {
            "tokenizer": codec.tokenizer,
            "de-tokenizer": codec.detokenizer,
            "codon head": codec.codon_head,
            "translator": codec.translator,
        }
    )


def _counted(parts: Mapping[str, Part]) -> dict[str, int]:
    counts = {}
    for name, part in parts.items():
        modules = part if isinstance(part, list) else [part]
        counts[name] = sum(p.numel() for module in modules if module is not None for p in module.parameters())
    return {name: count for name, count in counts.items() if count}
