"""How many parameters each part of a model has."""

from lifecode.model.life_code import LifeCode


def parameters_by_part(model: LifeCode) -> dict[str, int]:
    """Number of parameters by part; works on the meta device. The parts add up to the model."""
    codec, encoder = model.codec, model.encoder
    modules = {
        "tokenizer": codec.tokenizer,
        "de-tokenizer": codec.detokenizer,
        "codon head": codec.codon_head,
        "translator": codec.translator,
        "encoder layers": encoder.layers,
        "encoder projections and norm": [encoder.in_proj, encoder.norm, encoder.out_proj],
        "codon projection": model.codon_projection,
        "protein decoder": model.protein_decoder,
    }
    counts = {}
    for name, part in modules.items():
        parts = part if isinstance(part, list) else [part]
        counts[name] = sum(p.numel() for module in parts if module is not None for p in module.parameters())
    return {name: count for name, count in counts.items() if count}
