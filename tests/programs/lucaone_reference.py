"""Writes what the package `lucaone` computes, for `tests/parity/test_lucaone.py` to compare with.

It wants an older transformers than ours, so it runs in an environment of its own:

    pip install --no-deps --target FOLDER lucaone==1.1.1 transformers==4.41.2 \
        'tokenizers>=0.19,<0.20' 'huggingface_hub<0.26'
    PYTHONPATH=FOLDER:. python tests/programs/lucaone_reference.py

The model is small and its weights are wide apart, so that attention looks somewhere and a wrong rotation,
scale or mask is seen. Of long sequences the states of some positions are kept. lifecode is not imported.
With a folder that `LucaOne.save_checkpoint(folder, "transformers")` wrote it prints logits of that instead.
"""

import sys
from pathlib import Path

import numpy as np
import torch
from lucaone import (  # pyright: ignore[reportMissingImports]
    LucaGPLMConfig,
    LucaGPLMForMaskedLM,
    LucaGPLMTokenizer,
)
from safetensors.torch import save_file

HOME = Path(__file__).parents[1] / "parity" / "lucaone"
SHAPE = {"num_hidden_layers": 3, "hidden_size": 32, "num_attention_heads": 4}
LENGTHS = {"gene": (1, 2, 30, 300, 1278), "prot": (1, 5, 64, 501, 1278)}
LETTERS = {"gene": "ACGTUNRYacgtn", "prot": "LAGVSERTIDPKQNFYMHWCXBUZOJ.-*"}
KEPT_EVERY = 37
STD = 0.25


def main() -> None:
    torch.manual_seed(20)
    model = LucaGPLMForMaskedLM(LucaGPLMConfig(**SHAPE)).eval()
    with torch.no_grad():
        for name, tensor in model.named_parameters():
            is_norm = "layer_norm.weight" in name
            tensor.copy_(torch.randn_like(tensor) * STD + is_norm)
    state = {name: tensor.clone() for name, tensor in model.state_dict().items()}
    draw = np.random.default_rng(20)
    tokenizer, arrays = LucaGPLMTokenizer(), {}
    for kind, lengths in LENGTHS.items():
        texts = ["".join(draw.choice(list(LETTERS[kind]), length)) for length in lengths]
        rows = [tokenizer.encode(text, seq_type=kind) for text in texts]
        longest = max(map(len, rows))
        ids = torch.tensor([row + [0] * (longest - len(row)) for row in rows])
        with torch.no_grad():
            output = model(
                ids,
                attention_mask=(ids != 0).long(),
                token_type_ids=torch.full_like(ids, int(kind == "prot")),
                output_hidden_states=True,
            )
        for number, row in enumerate(rows):
            kept = sorted({*range(0, len(row), KEPT_EVERY), 1, len(row) - 1})
            arrays[f"{kind}.{number}.ids"] = np.array(row, dtype=np.uint8)
            arrays[f"{kind}.{number}.kept"] = np.array(kept, dtype=np.int16)
            arrays[f"{kind}.{number}.states"] = output.hidden_states[-1][number, kept].numpy()
            arrays[f"{kind}.{number}.logits"] = output.logits[number, kept].numpy()
            arrays[f"{kind}.{number}.text"] = np.array(texts[number])
    HOME.mkdir(exist_ok=True)
    save_file(state, HOME / "weights.safetensors", metadata={"format": "pt"})
    np.savez_compressed(HOME / "outputs.npz", **arrays)


def load(folder: str) -> None:
    """Prints the first logits of MLKX at its second letter, of a model in a folder."""
    model, told = LucaGPLMForMaskedLM.from_pretrained(folder, output_loading_info=True)
    assert not any(told.values()), told
    ids = torch.tensor([LucaGPLMTokenizer().encode("MLKX", seq_type="prot")])
    with torch.no_grad():
        logits = model.eval()(ids, token_type_ids=torch.ones_like(ids)).logits[0]
    print(*(f"{x:.5f}" for x in logits[2, :5].tolist()))


if __name__ == "__main__":
    load(sys.argv[1]) if len(sys.argv) > 1 else main()
