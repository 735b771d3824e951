"""A model on disk: config.json, model.safetensors and SHA256SUMS in one folder, and what genes it has seen.

No pickle is read or written. One flipped bit in a weight is noticed by nothing but a checksum, so every
file is verified when it is loaded. transformers reads the same config.json, in which `model_type` repeats
the `family`.
"""

import json
import re
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError
from safetensors.torch import save_file
from torch import Tensor, nn

from lifecode.errors import UserError
from lifecode.host.checksum import sha256
from lifecode.host.durable import new_folder
from lifecode.models.weights import WEIGHTS, require_floats

CONFIG, CHECKSUMS = "config.json", "SHA256SUMS"
FILES = (CONFIG, WEIGHTS, CHECKSUMS)
LONGEST_CONFIG = 2**20
_SUM = re.compile(r"([0-9a-f]{64})  (\S.*)")
GENES = "training_genes.npy"
"""Sketches of the genes it was trained on (`lifecode.data.statistics.seen_genes`); not in every folder."""


def save(
    model: nn.Module,
    config: dict[str, Any],
    folder: Path,
    *,
    state: Mapping[str, Tensor] | None = None,
    training_genes: NDArray[np.uint32] | None = None,
) -> None:
    """Writes the files of a model folder.

    A new folder appears whole or not at all. In one that exists the files are replaced, the checksums last,
    and others stay: an interruption between them is found when the model is loaded.

    Args:
        model: whose weights are written.
        config: its shape, with its `family`.
        folder: made if it does not exist.
        state: weights to write instead of those of `model`, under its names.
        training_genes: (num_genes, 16) sketches of what it was trained on, if they are known.

    Raises:
        UserError: weights that are no floating-point numbers, or the folder cannot be written.
    """
    weights = model.state_dict() if state is None else state
    require_floats(weights, folder)
    content = (
        {"model_type": config["family"], **config},
        weights,
        training_genes,
    )
    try:
        if not folder.is_dir():
            with new_folder(folder) as whole:
                _write_files(whole, *content)
            return
        with tempfile.TemporaryDirectory(prefix=f".{folder.name}-", dir=folder) as beside:
            _write_files(Path(beside), *content)
            for path in sorted(Path(beside).iterdir(), key=lambda path: path.name == CHECKSUMS):
                path.replace(folder / path.name)
        if training_genes is None:
            (folder / GENES).unlink(missing_ok=True)
    except (OSError, SafetensorError) as error:
        reason = getattr(error, "strerror", None) or error
        raise UserError(
            f"cannot write here ({reason})",
            source=folder,
            remedy="Make room there, or choose a folder you may write to",
        ) from error


def _write_files(
    folder: Path,
    config: dict[str, Any],
    state: Mapping[str, Tensor],
    training_genes: NDArray[np.uint32] | None,
) -> None:
    (folder / CONFIG).write_text(json.dumps(config, indent=2) + "\n")
    tensors = {name: tensor.detach().cpu().contiguous() for name, tensor in state.items()}
    save_file(tensors, folder / WEIGHTS, metadata={"format": "pt"})
    (folder / WEIGHTS).chmod((folder / CONFIG).stat().st_mode)  # safetensors lets nobody else read it
    if training_genes is not None:
        np.save(folder / GENES, training_genes)
    sums = [f"{sha256(path)}  {path.name}\n" for path in sorted(folder.iterdir())]
    (folder / CHECKSUMS).write_text("".join(sums))


def read_config(folder: Path, *, family: str | None = None) -> dict[str, Any]:
    """The verified config.json of a model folder.

    Raises:
        UserError: the folder holds no model, a checksum does not match, or the family is another one.
    """
    for name in FILES:
        if not (folder / name).is_file():
            raise UserError(
                f"no {name} in this folder",
                source=folder,
                remedy=_where_it_may_be(folder),
            )
    expected = _checksums(folder / CHECKSUMS)
    for name in (CONFIG, WEIGHTS):
        _verify(folder / name, expected.get(name))
    config = _read_json(folder / CONFIG)
    if family is not None and config.get("family") != family:
        raise UserError(f"the model is of family {config.get('family')!r}, not {family!r}", source=folder)
    return config


def _where_it_may_be(folder: Path) -> str:
    """The remedy of a folder without a model: the one inside it that a run has left, if there is one."""
    for name, whose in (
        ("model", "what this run trained"),
        ("encoder", "what this fine-tuned model reads with"),
    ):
        if (folder / name / CONFIG).is_file():
            return f"Give {folder / name}, {whose}"
    return "A model folder is what `lifecode train` leaves as <run_dir>/model"


def _read_json(path: Path) -> dict[str, Any]:
    def no_number(word: str) -> None:
        raise ValueError(f"{word} is no number")

    try:
        if path.stat().st_size > LONGEST_CONFIG:
            raise ValueError(f"it is longer than {LONGEST_CONFIG:,} bytes")
        content = json.loads(path.read_text(encoding="utf-8"), parse_constant=no_number)
        if not isinstance(content, dict):
            raise ValueError(f"it is a {type(content).__name__} and no object")
    except (ValueError, RecursionError) as error:
        raise UserError(
            f"{path.name} describes no model ({error})",
            source=path.parent,
            remedy="The file was changed or damaged: copy it again",
        ) from error
    return content


def read_training_genes(folder: Path) -> NDArray[np.uint32] | None:
    """(num_genes, 16) sketches of the genes the model was trained on, verified; None if it keeps none."""
    expected = _checksums(folder / CHECKSUMS).get(GENES)
    if expected is None and not (folder / GENES).exists():
        return None
    _verify(folder / GENES, expected)
    try:
        genes = np.load(folder / GENES, mmap_mode="r", allow_pickle=False)
        if not isinstance(genes, np.ndarray) or genes.dtype != np.uint32 or genes.ndim != 2:
            raise ValueError("it is no table of 32-bit numbers")
    except (ValueError, OSError, EOFError) as error:
        raise UserError(
            f"{GENES} holds no sketches of genes ({error})",
            source=folder,
            remedy="The file was changed or damaged: copy the folder again",
        ) from error
    return np.array(genes)


def weights_checksum(listing: Path) -> str | None:
    """SHA-256 of the weights as a file like SHA256SUMS lists it; None without such a file or line."""
    return _checksums(listing).get(WEIGHTS) if listing.is_file() else None


def _checksums(listing: Path) -> dict[str, str]:
    """SHA-256 of each file that SHA256SUMS, or a file like it, lists.

    Raises:
        UserError: a line that lists none of a model's files.
    """
    sums: dict[str, str] = {}
    for line in listing.read_text("utf-8", "replace").removesuffix("\n").split("\n"):
        words = _SUM.fullmatch(line)
        if words is None or words.group(2) not in (CONFIG, WEIGHTS, GENES) or words.group(2) in sums:
            raise UserError(
                f"{listing.name} has a line that is no checksum of a model's file: {line[:100]!r}",
                source=listing.parent,
                remedy="The file was changed or damaged: copy it again or train again",
            )
        sums[words.group(2)] = words.group(1)
    return sums


def _verify(path: Path, expected: str | None) -> None:
    if not path.is_file() or sha256(path) != expected:
        raise UserError(
            f"{path.name} does not match its SHA-256 in {CHECKSUMS}",
            source=path.parent,
            remedy="The file was changed or damaged: copy it again or train again",
        )
