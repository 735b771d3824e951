"""A model on disk: config.json, model.safetensors and SHA256SUMS in one folder, and what genes it has seen.

No pickle is read or written. One flipped bit in a weight is noticed by nothing but a checksum, so every
file is verified when it is loaded. transformers reads the same config.json, in which `model_type` repeats
the `family`.
"""

import json
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError, safe_open
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from lifecode.data.checksum import sha256
from lifecode.errors import UserError

CONFIG, WEIGHTS, CHECKSUMS = "config.json", "model.safetensors", "SHA256SUMS"
FILES = (CONFIG, WEIGHTS, CHECKSUMS)
GENES = "training_genes.npy"
"""Sketches of the genes the model was trained on (see `lifecode.data.seen_genes`); not in every folder."""


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
        UserError: the folder cannot be written.
    """
    exists = folder.is_dir()
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        place = folder if exists else folder.parent
        with tempfile.TemporaryDirectory(prefix=f".{folder.name}-", dir=place) as temporary:
            whole = Path(temporary) / "model"
            whole.mkdir()
            _write_files(
                whole,
                {"model_type": config["family"], **config},
                model.state_dict() if state is None else state,
                training_genes,
            )
            if exists:
                for path in sorted(whole.iterdir(), key=lambda path: path.name == CHECKSUMS):
                    path.replace(folder / path.name)
                if training_genes is None:
                    (folder / GENES).unlink(missing_ok=True)
            else:
                whole.rename(folder)
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
                remedy="A model folder is what `lifecode train` leaves as <run_dir>/model",
            )
    expected = _checksums(folder / CHECKSUMS)
    for name in (CONFIG, WEIGHTS):
        _verify(folder / name, expected.get(name))
    config = json.loads((folder / CONFIG).read_text())
    if family is not None and config.get("family") != family:
        raise UserError(f"the model is of family {config.get('family')!r}, not {family!r}", source=folder)
    return config


def read_training_genes(folder: Path) -> NDArray[np.uint32] | None:
    """(num_genes, 16) sketches of the genes the model was trained on, verified; None if it keeps none."""
    expected = _checksums(folder / CHECKSUMS).get(GENES)
    if expected is None:
        return None
    _verify(folder / GENES, expected)
    return np.load(folder / GENES)


def weights_checksum(listing: Path) -> str | None:
    """SHA-256 of the weights as a file like SHA256SUMS lists it; None without such a file or line."""
    return _checksums(listing).get(WEIGHTS) if listing.is_file() else None


def _checksums(listing: Path) -> dict[str, str]:
    """SHA-256 of each file that SHA256SUMS, or a file like it, lists."""
    listed = [line.split(maxsplit=1) for line in listing.read_text(errors="replace").splitlines()]
    return {words[-1]: words[0] for words in listed if words}


def _verify(path: Path, expected: str | None) -> None:
    if not path.is_file() or sha256(path) != expected:
        raise UserError(
            f"{path.name} does not match its SHA-256 in {CHECKSUMS}",
            source=path.parent,
            remedy="The file was changed or damaged: copy it again or train again",
        )


def load_weights(model: nn.Module, folder: Path) -> None:
    """Loads model.safetensors into `model`; every key must be there, in its shape, and none besides."""
    require_same_shapes(model, folder)
    model.load_state_dict(load_file(folder / WEIGHTS))


def require_same_shapes(model: nn.Module, folder: Path) -> None:
    """Compares names and shapes of model.safetensors with those of `model`, which may be on meta.

    Raises:
        UserError: a tensor is missing, unexpected or of another shape, or the file is no safetensors.
    """
    try:
        with safe_open(folder / WEIGHTS, framework="pt") as file:
            found = {name: tuple(file.get_slice(name).get_shape()) for name in file.keys()}  # noqa: SIM118
    except SafetensorError as error:
        raise UserError(f"{WEIGHTS} is no safetensors file ({error})", source=folder) from error
    wanted = {name: tuple(tensor.shape) for name, tensor in model.state_dict().items()}
    problems = [
        *(f"{name} is missing" for name in sorted(wanted.keys() - found.keys())),
        *(f"{name} is unexpected" for name in sorted(found.keys() - wanted.keys())),
        *(
            f"{name} is {found[name]}, the model wants {wanted[name]}"
            for name in sorted(wanted.keys() & found.keys())
            if found[name] != wanted[name]
        ),
    ]
    if problems:
        others = f" (and {len(problems) - 1} more)" if len(problems) > 1 else ""
        raise UserError(
            f"the weights are of another shape than the model: {problems[0]}{others}",
            source=folder / WEIGHTS,
            remedy="Load them with the config.json they were saved with",
        )
