"""A model on disk: config.json, model.safetensors and SHA256SUMS in one folder, and what genes it has seen.

No pickle is read or written. One flipped bit in a weight is noticed by nothing but a checksum, so every
file is verified when it is loaded. transformers reads the same config.json, in which `model_type` repeats
the `family`.
"""

import json
import re
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors import SafetensorError, safe_open
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from lifecode.errors import UserError
from lifecode.host.checksum import sha256
from lifecode.host.durable import new_folder

CONFIG, WEIGHTS, CHECKSUMS = "config.json", "model.safetensors", "SHA256SUMS"
FILES = (CONFIG, WEIGHTS, CHECKSUMS)
FLOATS = {torch.float16: "F16", torch.bfloat16: "BF16", torch.float32: "F32", torch.float64: "F64"}
"""What weights may be kept in, and safetensors' word for it."""
LONGEST_CONFIG = 2**20
_LAYER = re.compile(r"encoder\.layers\.(\d+)\.")
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
    for name, tensor in (model.state_dict() if state is None else state).items():
        if tensor.dtype not in FLOATS:
            raise UserError(
                f"{name} is {tensor.dtype}, and weights are kept in {_NAMES}",
                source=folder,
                remedy="Save the model in one of these",
            )
    content = (
        {"model_type": config["family"], **config},
        model.state_dict() if state is None else state,
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


_NAMES = ", ".join(str(dtype).removeprefix("torch.") for dtype in FLOATS)


def converted(state: Mapping[str, Tensor], dtype: torch.dtype | None) -> dict[str, Tensor]:
    """Weights in another precision; as they are for None.

    Raises:
        UserError: `dtype` is none of float16, bfloat16, float32 and float64, or too narrow for a weight.
    """
    if dtype is None:
        return dict(state)
    if dtype not in FLOATS:
        raise UserError(f"dtype is {dtype}, and weights are kept in {_NAMES}", remedy="Choose one of these")
    cast = {name: tensor.to(dtype) for name, tensor in state.items()}
    for name, tensor in cast.items():
        if not torch.equal(tensor.isfinite(), state[name].isfinite()):
            raise UserError(
                f"a weight of {name} is too large for {dtype}", remedy="Save it as bfloat16 or float32"
            )
    return cast


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
    config = _read_json(folder / CONFIG)
    if family is not None and config.get("family") != family:
        raise UserError(f"the model is of family {config.get('family')!r}, not {family!r}", source=folder)
    return config


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


def require_depth(folder: Path, config: Mapping[str, Any]) -> None:
    """Raises a UserError unless the weights have as many layers as config.json says, before any is built."""
    layers = {int(found.group(1)) for name in _weights(folder) if (found := _LAYER.match(name))}
    if config.get("depth") != len(layers):
        raise UserError(
            f"{CONFIG} says depth {str(config.get('depth'))[:20]}, and the weights have {len(layers)} layers",
            source=folder,
            remedy="Load them with the config.json they were saved with",
        )


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


def load_weights(model: nn.Module, folder: Path) -> None:
    """Loads model.safetensors into `model`; every key must be there, in its shape, and none besides."""
    require_same_shapes(model, folder)
    model.load_state_dict(load_file(folder / WEIGHTS))


def require_same_shapes(model: nn.Module, folder: Path) -> None:
    """Compares names and shapes of model.safetensors with those of `model`, which may be on meta.

    Raises:
        UserError: a tensor is missing, unexpected or of another shape or no floating-point numbers, or the
            file is no safetensors.
    """
    weights = _weights(folder)
    for name, (_, dtype) in weights.items():
        if dtype not in FLOATS.values():
            raise UserError(
                f"{name} holds {dtype}, and weights are {_NAMES}",
                source=folder / WEIGHTS,
                remedy="Save the model again in one of these",
            )
    require_same_names(model, {name: shape for name, (shape, _) in weights.items()}, folder / WEIGHTS)


def _weights(folder: Path) -> dict[str, tuple[tuple[int, ...], str]]:
    """Shape of each tensor of model.safetensors, and safetensors' word for its dtype."""
    try:
        with safe_open(folder / WEIGHTS, framework="pt") as file:
            slices = {name: file.get_slice(name) for name in file.keys()}  # noqa: SIM118
            return {name: (tuple(x.get_shape()), str(x.get_dtype())) for name, x in slices.items()}
    except SafetensorError as error:
        raise UserError(f"{WEIGHTS} is no safetensors file ({error})", source=folder) from error


def load_all_names(
    load: Callable[..., Any],
    model: nn.Module,
    state: Mapping[str, Any],
    *,
    strict: bool,
    assign: bool,
    adapted: bool,
) -> Any:
    """Loads a state into `model` by torch's `load`, and never less than all of it, even if not `strict`.

    Only the weights of adapters may come alone, if not `strict`, to a model that is `adapted`.

    Raises:
        UserError: a missing, unexpected or reshaped weight.
    """
    own = model.state_dict().keys()
    adapters_alone = adapted and not strict
    wrong = [f"{name} is unexpected" for name in sorted(state.keys() - own)]
    if not adapters_alone:
        wrong = [f"{name} is missing" for name in sorted(own - state.keys())] + wrong
    if wrong or not state:
        others = f" (and {len(wrong) - 1} more)" if len(wrong) > 1 else ""
        raise UserError(
            f"these are not the weights of this model: {wrong[0] if wrong else 'there are none'}{others}",
            remedy="Load what was saved of a model of the same shape",
        )
    try:
        return load(state, strict=not adapters_alone, assign=assign)
    except RuntimeError as error:
        raise UserError(f"these are not the weights of this model: {error}") from error


def require_same_names(
    model: nn.Module, found: Mapping[str, tuple[int, ...]], source: object, remedy: str | None = None
) -> None:
    """Raises a UserError that names a tensor of `found`, shapes by name, that is not that of `model`."""
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
            source=source,
            remedy=remedy or "Load them with the config.json they were saved with",
        )
