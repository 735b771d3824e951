"""Masked language models of transformers that read proteins residue by residue, such as ESM-2.

Weights are read from safetensors files alone and no code that comes with a model is run. Letters are looked
up in the vocabulary one by one, since tokenizers merge neighbours that they do not know.
"""

import json
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from lifecode.alphabet import AMINO_ACIDS, STOP
from lifecode.data.batches.packing import consecutive_rows
from lifecode.errors import UserError
from lifecode.models.life_code.evaluation_mode import undisturbed
from lifecode.models.masked_reading import MaskedReader, MaskedReading
from lifecode.models.pretrained import CONFIG, LONGEST_CONFIG
from lifecode.models.quiet_transformers import quiet_transformers

TOKENIZER_FILES = ("vocab.txt", "tokenizer.json", "tokenizer_config.json", "*_map.json", "*.model")
"""Names and patterns of what says which tokens there are."""
_MASKED = ("ForMaskedLM", "ForPreTraining")
_NOT_READ = ("contact_head.", "pooler.", "rotary_embeddings.inv_freq", "cls.seq_relationship.")
_OFFSET = 2
"""Positions of the table that RoBERTa and ESM leave unused before the first."""


def is_masked_language_model(folder: Path) -> bool:
    """Whether the config.json of a folder names a masked language model of transformers."""
    file = folder / CONFIG
    try:
        config = json.loads(file.read_text(encoding="utf-8")) if file.stat().st_size < LONGEST_CONFIG else {}
    except (OSError, ValueError, RecursionError):
        return False
    names = config.get("architectures") if isinstance(config, dict) else None
    return isinstance(names, list) and any(str(name).endswith(_MASKED) for name in names)


class TransformersMasked(nn.Module):
    """A masked model of proteins, in evaluation mode.

    Args:
        model: of transformers, with a language head.
        tokenizer: its own.
        source: where it came from, for errors.

    Raises:
        UserError: the vocabulary has no mask, or no token for some of the 20 residues.
    """

    def __init__(self, model: Any, tokenizer: Any, source: object) -> None:
        super().__init__()
        vocabulary: dict[str, int] = tokenizer.get_vocab()
        lacking = [letter for letter in AMINO_ACIDS[:STOP] if letter not in vocabulary]
        if lacking or tokenizer.mask_token_id is None:
            what = f"no token for residue {lacking[0]}" if lacking else "no mask"
            raise UserError(
                f"its vocabulary has {what}",
                source=source,
                remedy="Give a masked model of single residues, such as facebook/esm2_t6_8M_UR50D",
            )
        self.model = model.eval()
        self.mask = int(tokenizer.mask_token_id)
        around = list(tokenizer("A")["input_ids"])
        place = around.index(vocabulary["A"])
        self.before, self.behind = around[:place], around[place + 1 :]
        unknown = vocabulary.get("X", tokenizer.unk_token_id)
        self.pad = tokenizer.pad_token_id if tokenizer.pad_token_id is not None else self.behind[-1]
        ids = [vocabulary.get(chr(code), unknown) for code in range(256)]
        self.id_of_code = np.array([self.mask if i is None else i for i in ids], dtype=np.int64)
        self.columns = [vocabulary.get(letter) for letter in AMINO_ACIDS]

    @property
    def longest(self) -> int | None:
        """Residues that are read at once, or None for any number."""
        positions = getattr(self.model.config, "max_position_embeddings", None)
        return None if positions is None else positions - _OFFSET - len(self.before) - len(self.behind)

    def masked_reader(self, reading: MaskedReading) -> MaskedReader | None:
        """The model as one that is asked about `residue`; see `MaskedModel`."""
        return _ResidueReader(self) if reading == "residue" else None


class _ResidueReader:
    """log P of residues at those of a protein; see `MaskedReader`."""

    name, columns, letters_per_place, places_per_call = "residues", len(AMINO_ACIDS), 1, 4096

    def __init__(self, owner: TransformersMasked) -> None:
        self._owner, self.longest = owner, owner.longest

    @undisturbed
    def log_probabilities(
        self,
        sequences: Sequence[NDArray[np.uint8]],
        masked: Sequence[Sequence[int]],
        read: Sequence[Sequence[int]],
    ) -> list[Tensor]:
        """Over all tokens of the vocabulary, of which the columns are some."""
        owner, found = self._owner, []
        device = next(owner.parameters()).device
        known = torch.tensor([-1 if i is None else i for i in owner.columns], device=device)
        first = len(owner.before)
        for part in consecutive_rows([len(ids) for ids in sequences], self.places_per_call):
            rows = [self._tokens(ids, own) for ids, own in zip(sequences[part], masked[part], strict=True)]
            width = max(map(len, rows))
            padded = np.array([row + [owner.pad] * (width - len(row)) for row in rows], dtype=np.int64)
            seen = np.arange(width) < np.array([len(row) for row in rows])[:, None]
            logits = owner.model(
                input_ids=torch.from_numpy(padded).to(device),
                attention_mask=torch.from_numpy(seen.astype(np.int64)).to(device),
            ).logits
            for own, places in zip(logits, read[part], strict=True):
                at = torch.tensor([first + place for place in places], dtype=torch.long, device=device)
                log_p = own[at].float().log_softmax(-1)[:, known.clamp(min=0)]
                found.append(log_p.masked_fill(known < 0, -torch.inf))
        return found

    def _tokens(self, ids: NDArray[np.uint8], places: Sequence[int]) -> list[int]:
        tokens = self._owner.id_of_code[ids]
        tokens[list(places)] = self._owner.mask
        return [*self._owner.before, *tokens.tolist(), *self._owner.behind]


def load_masked_language_model(folder: Path) -> TransformersMasked:
    """The model in a folder, on the CPU.

    Raises:
        UserError: transformers is missing, weights are missing or cannot be read, or the vocabulary has no
            residues.
    """
    if find_spec("transformers") is None:  # importing it takes ten seconds
        raise UserError("transformers is not installed", source=folder, remedy="pip install 'lifecode[hf]'")
    from transformers import AutoModelForMaskedLM, AutoTokenizer

    try:
        with quiet_transformers():
            tokenizer = AutoTokenizer.from_pretrained(folder, local_files_only=True)
            model, found = AutoModelForMaskedLM.from_pretrained(
                folder, use_safetensors=True, local_files_only=True, output_loading_info=True
            )
    except (OSError, ValueError, ImportError, KeyError, RuntimeError) as fault:
        raise UserError(
            f"cannot be loaded ({str(fault).strip().splitlines()[0][:200]})",
            source=folder,
            remedy="Give a folder with config.json, model.safetensors and the files of its tokenizer",
        ) from fault
    wrong = [*found["missing_keys"], *(name for name, *_ in found["mismatched_keys"])]
    wrong = sorted(name for name in wrong if not name.startswith(_NOT_READ))
    if wrong:
        raise UserError(f"has no fitting weights {wrong[0]}", source=folder, remedy="Copy it again")
    return TransformersMasked(model, tokenizer, folder)
