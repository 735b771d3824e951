"""A small ESM-2 checkpoint, made by transformers' own classes."""

from pathlib import Path

import torch

VOCABULARY = ["<cls>", "<pad>", "<eos>", "<unk>", *"LAGVSERTIDPKQNFYMHWCXBUZO.-", "<null_1>", "<mask>"]


def save_esm_checkpoint(folder: Path, seed: int = 0, **shape) -> Path:
    """Random weights, as the hub's checkpoints are: a masked LM with rotary positions and token dropout."""
    from transformers import EsmConfig, EsmForMaskedLM, EsmTokenizer

    folder.mkdir(parents=True, exist_ok=True)
    (folder / "vocab.txt").write_text("\n".join(VOCABULARY))
    settings = {
        "vocab_size": len(VOCABULARY),
        "mask_token_id": VOCABULARY.index("<mask>"),
        "pad_token_id": VOCABULARY.index("<pad>"),
        "hidden_size": 16,
        "num_hidden_layers": 2,
        "num_attention_heads": 2,
        "intermediate_size": 32,
        "max_position_embeddings": 1026,
        "position_embedding_type": "rotary",
        "emb_layer_norm_before": False,
        "token_dropout": True,
        "initializer_range": 0.3,
        **shape,
    }
    torch.manual_seed(seed)
    EsmForMaskedLM(EsmConfig(**settings)).save_pretrained(folder)
    EsmTokenizer(folder / "vocab.txt").save_pretrained(folder)
    return folder
