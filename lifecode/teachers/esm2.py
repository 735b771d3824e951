"""ESM-2 as a teacher (Lin et al. 2023, doi:10.1126/science.ade2574), the one of the Life-Code paper.

The features are the last hidden state behind the final layer norm, as transformers' `EsmModel` gives it,
without `<cls>` and `<eos>`: feature j is residue j is codon j. Weights are read from safetensors files alone,
so that a checkpoint cannot run code.

transformers' tokenizer merges neighbouring letters that it does not know, J or `*`, into one token, which
would shift every residue behind them. So the vocabulary comes from the tokenizer, and letters are looked up
one by one. The network is loaded when the first protein is encoded: a run whose features are all stored
needs neither its memory nor its time.
"""

import functools
import hashlib
import json
import os
import re
from collections.abc import Iterator, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Literal

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from lifecode.alphabet import as_sequences
from lifecode.errors import UserError
from lifecode.host.checksum import sha256
from lifecode.models.hub import model_folder
from lifecode.models.quiet_transformers import quiet_transformers
from lifecode.teachers.base import ProteinTeacher
from lifecode.teachers.letters import RESIDUE_LETTERS, letter_codes
from lifecode.teachers.windows import Window, windows

_WEIGHTS, _WEIGHTS_INDEX = "model.safetensors", "model.safetensors.index.json"
_FILES = (_WEIGHTS, _WEIGHTS_INDEX, "model-*.safetensors", "config.json", "vocab.txt", "*_map.json")
_FILES += ("tokenizer_config.json",)
_FRAME = 2
"""`<cls>` and `<eos>`, around every window."""
_NOT_READ = ("contact_head.", "pooler.", "rotary_embeddings.inv_freq")
"""Weights a checkpoint may lack: they are not used, or follow from config.json."""
_WIDTHS = {"8M": 320, "35M": 480, "150M": 640, "650M": 1280, "3B": 2560, "15B": 5120}
"""By the size in the name of a checkpoint, as in esm2_t33_650M_UR50D (Lin et al. 2023)."""


class Esm2Teacher(ProteinTeacher):
    """An ESM-2 checkpoint; width is its hidden size, 1280 for esm2_t33_650M_UR50D.

    Letters that its tokenizer knows are U, O, B, Z and X beside the twenty; J and `*` read as `<unk>`.

    Args:
        checkpoint: a folder with config.json, vocab.txt and model.safetensors, or a name on the hub.
        revision: branch, tag or commit on the hub.
        window: most residues the network sees at once; longer proteins are cut, see `windows`.
        overlap: fewest residues that two windows share.
        residues_at_once: of one forward pass, padding included; a longer window is a pass of its own.
        device: `auto` is the GPU where there is one.
        precision: `auto` is float16 on a GPU and float32 on a CPU.

    Raises:
        UserError: transformers is missing, the hub cannot be reached, or the checkpoint cannot be used.
    """

    def __init__(
        self,
        *,
        checkpoint: str = "facebook/esm2_t33_650M_UR50D",
        revision: str | None = None,
        window: int = 1022,
        overlap: int = 511,
        residues_at_once: int = 8192,
        device: Literal["auto", "cpu", "cuda"] = "auto",
        precision: Literal["auto", "float32", "float16"] = "auto",
    ) -> None:
        super().__init__()
        _require_transformers()
        if not 0 <= overlap < window:
            raise UserError(f"overlap is {overlap}, expected 0 to {window - 1}, one less than window")
        if device == "cuda" and not torch.cuda.is_available():
            raise UserError("device is cuda, and there is no GPU here", remedy="Choose auto or cpu")
        self.folder = model_folder(checkpoint, revision=revision, files=_FILES, made_by=_MADE_BY)
        config = _read_config(self.folder)
        longest = config["max_position_embeddings"] - 2 * _FRAME
        if window > longest:
            raise UserError(f"window is {window}, and this checkpoint reads at most {longest} residues")
        on_gpu = device != "cpu" and torch.cuda.is_available()
        self.device = torch.device("cuda", _local_rank()) if on_gpu else torch.device("cpu")
        self.dtype = torch.float16 if precision == "float16" or (precision == "auto" and on_gpu) else None
        self.dtype = self.dtype or torch.float32
        self.window, self.overlap, self.residues_at_once = window, overlap, residues_at_once
        self.width = int(config["hidden_size"])
        dtype = str(self.dtype).removeprefix("torch.")
        layers, digest = config["num_hidden_layers"], _digest_of(self.folder)
        self.name = f"esm2-t{layers}-w{self.width}-{digest[:12]}-{window}-{overlap}-{dtype}"

    @classmethod
    def stated_width(cls, checkpoint: str | None) -> int | None:
        """Of a folder as its config.json says, of a name on the hub by the size in it, else None.

        Raises:
            UserError: the folder holds no ESM-2 checkpoint.
        """
        folder = Path(checkpoint or "").expanduser()
        if checkpoint and folder.is_dir():
            return int(_read_config(folder)["hidden_size"])
        size = re.search(r"esm2_t\d+_(\d+[MB])_", checkpoint or "")
        return _WIDTHS.get(size[1]) if size else None

    @torch.no_grad()
    def encode(self, proteins: Sequence[str]) -> list[Tensor]:
        """Features (num_residues, width) float32 of each protein; see `ProteinTeacher.encode`."""
        codes = [letter_codes(protein) for protein in as_sequences(proteins)]
        features = [
            torch.empty(len(protein), self.width, device=self.device, dtype=torch.float32)
            for protein in codes
        ]
        cut = [
            (number, part)
            for number, protein in enumerate(codes)
            for part in windows(len(protein), self.window, self.overlap)
        ]
        cut.sort(key=lambda piece: piece[1].stop - piece[1].start)
        for batch in _batches(cut, self.residues_at_once):
            hidden = self._hidden_states([codes[number][part.start : part.stop] for number, part in batch])
            for (number, part), states in zip(batch, hidden, strict=True):
                kept = states[1 + part.first - part.start : 1 + part.last - part.start]
                features[number][part.first : part.last] = kept.float()
        return features

    def _hidden_states(self, pieces: list[NDArray[np.uint8]]) -> Tensor:
        """(num_pieces, longest + 2, width), `<cls>` first; what stands behind `<eos>` is padding."""
        model, vocabulary = self._network
        lengths = [len(piece) + _FRAME for piece in pieces]
        ids = np.full((len(pieces), max(lengths)), vocabulary.pad, dtype=np.int64)
        ids[:, 0] = vocabulary.cls
        for row, piece in zip(ids, pieces, strict=True):
            row[1 : 1 + len(piece)] = vocabulary.id_of_code[piece]
            row[1 + len(piece)] = vocabulary.eos
        seen = np.arange(max(lengths)) < np.array(lengths)[:, None]
        return model(
            input_ids=torch.from_numpy(ids).to(self.device),
            attention_mask=torch.from_numpy(seen.astype(np.int64)).to(self.device),
        ).last_hidden_state

    @functools.cached_property
    def _network(self) -> tuple[Any, "_Vocabulary"]:
        from transformers import EsmModel, EsmTokenizer

        with quiet_transformers():
            vocabulary = _Vocabulary(EsmTokenizer.from_pretrained(self.folder, local_files_only=True))
            loaded: Any = EsmModel.from_pretrained(
                self.folder,
                add_pooling_layer=False,
                dtype=self.dtype,
                use_safetensors=True,
                local_files_only=True,
                output_loading_info=True,
            )
        model, found = loaded
        missing = sorted(name for name in found["missing_keys"] if not name.startswith(_NOT_READ))
        if missing or found["mismatched_keys"]:
            what = missing[0] if missing else sorted(found["mismatched_keys"])[0]
            raise UserError(f"the checkpoint has no fitting weights {what}", source=self.folder)
        return model.eval().requires_grad_(False).to(self.device), vocabulary


class _Vocabulary:
    """Token ids of the frame, and of each residue by its ASCII code."""

    def __init__(self, tokenizer: Any) -> None:
        self.pad, self.cls, self.eos = (
            int(tokenizer.convert_tokens_to_ids(token))
            for token in (tokenizer.pad_token, tokenizer.cls_token, tokenizer.eos_token)
        )
        self.id_of_code = np.full(256, -1, dtype=np.int64)
        for letter in RESIDUE_LETTERS:
            self.id_of_code[ord(letter)] = tokenizer.convert_tokens_to_ids(letter)


def _batches(
    pieces: Sequence[tuple[int, Window]], residues_at_once: int
) -> Iterator[Sequence[tuple[int, Window]]]:
    """Consecutive runs of pieces, shortest first, that padded to the longest fit the budget."""
    first = 0
    for index, (_, part) in enumerate(pieces):
        if index > first and (index + 1 - first) * (part.stop - part.start + _FRAME) > residues_at_once:
            yield pieces[first:index]
            first = index
    if first < len(pieces):
        yield pieces[first:]


_MADE_BY = "Give a folder with an ESM-2 checkpoint, or a name such as facebook/esm2_t6_8M_UR50D"


def _require_transformers() -> None:
    if find_spec("transformers") is None:  # importing it takes ten seconds
        raise UserError(
            "the ESM-2 teacher needs transformers, which is not installed",
            source="teacher=esm2",
            remedy='Run `pip install "lifecode[esm]"`',
        )


def _read_config(folder: Path) -> dict[str, Any]:
    try:
        config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
        complete = all(
            isinstance(config[key], int)
            for key in ("hidden_size", "num_hidden_layers", "max_position_embeddings")
        )
    except (OSError, ValueError, KeyError, TypeError):
        complete, config = False, {}
    if not complete or config.get("model_type") != "esm":
        raise UserError("this is no ESM-2 checkpoint", source=folder / "config.json", remedy=_MADE_BY)
    if not (folder / "vocab.txt").is_file():
        raise UserError("the ESM-2 checkpoint has no vocab.txt", source=folder, remedy=_MADE_BY)
    return config


def _digest_of(folder: Path) -> str:
    """sha256 over everything that decides the features: weights, shape and vocabulary."""
    parts = [_digest_of_file(path, *_changed(path)) for path in _weight_files(folder)]
    parts += [sha256(folder / name) for name in ("config.json", "vocab.txt")]
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()


@functools.lru_cache(maxsize=64)
def _digest_of_file(path: Path, num_bytes: int, changed_ns: int) -> str:
    """A gigabyte takes a second, and a command asks more than once."""
    return sha256(path)


def _changed(path: Path) -> tuple[int, int]:
    status = path.stat()
    return status.st_size, status.st_mtime_ns


def _weight_files(folder: Path) -> list[Path]:
    index = folder / _WEIGHTS_INDEX
    try:
        names = set(json.loads(index.read_text())["weight_map"].values()) if index.is_file() else {_WEIGHTS}
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise UserError("cannot be read", source=index) from error
    files = [folder / Path(str(name)).name for name in sorted(names)]
    if missing := [file for file in files if not file.is_file()]:
        raise UserError(
            f"the checkpoint has no {missing[0].name} (a pytorch_model.bin can run code and is not opened)",
            source=folder,
            remedy="Save it again with transformers: EsmModel.from_pretrained(...).save_pretrained(...)",
        )
    return files


def _local_rank() -> int:
    """The GPU of this process on its machine."""
    return int(os.environ.get("LOCAL_RANK", "0")) % max(1, torch.cuda.device_count())
