"""Weights of a model: their precision, their checksum, and whether those of a file are those of a model."""

import hashlib
import re
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import load_file
from torch import Tensor, nn

from lifecode.errors import UserError

WEIGHTS = "model.safetensors"
_FLOATS = {torch.float16: "F16", torch.bfloat16: "BF16", torch.float32: "F32", torch.float64: "F64"}
"""What weights may be kept in, and safetensors' word for it."""
_NAMES = ", ".join(str(dtype).removeprefix("torch.") for dtype in _FLOATS)
_LAYER = re.compile(r"encoder\.layers\.(\d+)\.")


def weights_checksum(model: nn.Module) -> str:
    """16 hexadecimal digits of the SHA-256 of all weights, by their names and in their precision.

    A result says by it which weights gave it.
    """
    digest = hashlib.sha256()
    for name, weight in sorted(model.state_dict().items()):
        digest.update(f"{name} {weight.dtype} {tuple(weight.shape)}".encode())
        digest.update(weight.detach().cpu().contiguous().flatten().view(torch.uint8).numpy().tobytes())
    return digest.hexdigest()[:16]


def require_floats(state: Mapping[str, Tensor], folder: Path) -> None:
    """Raises a UserError that names a weight that is to be saved and is no floating-point number."""
    for name, tensor in state.items():
        if tensor.dtype not in _FLOATS:
            raise UserError(
                f"{name} is {tensor.dtype}, and weights are kept in {_NAMES}",
                source=folder,
                remedy="Save the model in one of these",
            )


def require_values_there(weights: Iterable[Tensor]) -> None:
    """Raises a `UserError` where one is on the meta device, which keeps shapes alone."""
    if any(weight.is_meta for weight in weights):
        raise UserError(
            "the model is on the meta device, which holds no weights",
            remedy="Load it again; model.to('meta') throws its weights away",
        )


def converted(state: Mapping[str, Tensor], dtype: torch.dtype | None) -> dict[str, Tensor]:
    """Weights in another precision; as they are for None.

    Raises:
        UserError: `dtype` is none of float16, bfloat16, float32 and float64, or too narrow for a weight, or
            a weight is on the meta device.
    """
    require_values_there(state.values())
    if dtype is None:
        return dict(state)
    if dtype not in _FLOATS:
        raise UserError(f"dtype is {dtype}, and weights are kept in {_NAMES}", remedy="Choose one of these")
    cast = {name: tensor.to(dtype) for name, tensor in state.items()}
    for name, tensor in cast.items():
        if not torch.equal(tensor.isfinite(), state[name].isfinite()):
            raise UserError(
                f"a weight of {name} is too large for {dtype}", remedy="Save it as bfloat16 or float32"
            )
    return cast


def require_depth(folder: Path, config: Mapping[str, Any]) -> None:
    """Raises a UserError unless the weights have as many layers as config.json says, before any is built."""
    layers = {int(found.group(1)) for name in _weights(folder) if (found := _LAYER.match(name))}
    depth = config.get("depth")
    if depth != len(layers):
        raise UserError(
            f"config.json says depth {str(depth)[:20]}, and the weights have {len(layers)} layers",
            source=folder,
            remedy="Load them with the config.json they were saved with",
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
        if dtype not in _FLOATS.values():
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
