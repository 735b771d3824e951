"""Tensors of the files that LucaOne's own programs leave: whole or in parts, and of pickles nothing else."""

import json
import pickle
import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor

from lifecode.errors import UserError
from lifecode.models.pretrained import LONGEST_CONFIG
from lifecode.models.weights import WEIGHTS

RELEASED_FILE, PICKLED = "pytorch.pth", "pytorch_model.bin"
INDICES = (f"{WEIGHTS}.index.json", f"{PICKLED}.index.json")
"""Which part of the weights each tensor is in."""
SUFFIXES = (".pth", ".pt", ".bin", ".safetensors")


def tensors_of(file: Path) -> dict[str, Tensor]:
    """The tensors of a file, or of all files that an index lists.

    Raises:
        UserError: it cannot be read, or holds more than tensors.
    """
    try:
        if file.name in INDICES:
            return _joined([tensors_of(part) for part in _parts(file)], file)
        if file.suffix == ".safetensors":
            return load_file(file)
        loaded = torch.load(file, map_location="cpu", weights_only=True, mmap=zipfile.is_zipfile(file))
    except (SafetensorError, pickle.UnpicklingError, RuntimeError, EOFError, OSError, ValueError) as error:
        if isinstance(error, UserError):
            raise
        is_pickle = isinstance(error, pickle.UnpicklingError | EOFError)
        reason = "it is cut, or holds more than tensors" if is_pickle else str(error).partition("\n")[0]
        is_beside = file.name != RELEASED_FILE and file.with_name(RELEASED_FILE).is_file()
        raise UserError(
            f"cannot be read as weights, and nothing but weights is read ({reason[:200]})",
            source=file,
            remedy=f"Give {RELEASED_FILE}, which lies beside it"
            if is_beside
            else "Copy it again, or give a file that holds tensors alone",
        ) from error
    if not isinstance(loaded, dict) or not all(isinstance(x, Tensor) for x in loaded.values()):
        raise no_lucaone("it is no mapping of names to tensors", file)
    return dict(loaded)


def _joined(parts: Sequence[Mapping[str, Tensor]], index: Path) -> dict[str, Tensor]:
    joined: dict[str, Tensor] = {}
    for part in parts:
        if twice := joined.keys() & part.keys():
            raise no_lucaone(f"{min(twice)} is in two of its files", index)
        joined |= part
    return joined


def _parts(index: Path) -> list[Path]:
    """The files beside an index that it lists, each once."""
    listed = json_object(index).get("weight_map")
    names = list(listed.values()) if isinstance(listed, dict) else []
    wrong = next((name for name in names if not isinstance(name, str) or Path(name).name != name), None)
    if wrong is not None or not names:
        raise no_lucaone("it lists no files" if wrong is None else f"it lists {wrong!r}", index)
    if any(Path(name).suffix not in SUFFIXES for name in names):
        raise no_lucaone("it lists files that hold no weights", index)
    return [index.parent / name for name in sorted(set(names))]


def json_object(file: Path) -> dict[str, Any]:
    """An object of a JSON file; an empty one where there is none that can be read."""
    try:
        if file.stat().st_size > 16 * LONGEST_CONFIG:
            return {}
        content = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        return {}
    return content if isinstance(content, dict) else {}


def no_lucaone(problem: str, file: Path) -> UserError:
    """The error of weights that are read and are those of no LucaOne."""
    return UserError(
        f"these are not the weights of a LucaOne model: {problem}",
        source=file,
        remedy="Give the pytorch.pth of a release, a folder of its transformers port, or a model folder",
    )
