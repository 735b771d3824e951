"""Checkpoints of LucaOne's own programs: found, read and written. Of pickles only tensors are taken.

A released checkpoint is a file `pytorch.pth`, or the folder around it; what lies beside it (`alphabet.pkl`,
`training_args.bin`) is never opened. A folder of the transformers port has config.json and safetensors, whole
or in parts. The shape of the model is read from the weights.
"""

import json
import re
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal, NamedTuple, get_args

import torch
from safetensors.torch import save_file
from torch import Tensor

from lifecode.errors import UserError
from lifecode.host.output_folder import output_folder, require_absent
from lifecode.models.luca_one.key_tables import (
    RELEASED_EMBEDDING,
    RELEASED_TIED,
    as_released,
    frequency_name,
    port_name,
    released_names,
    require_heads_of_a_release,
    rotary_frequencies,
    tasks_of,
)
from lifecode.models.luca_one.tensor_files import (
    INDICES,
    PICKLED,
    RELEASED_FILE,
    SUFFIXES,
    json_object,
    no_lucaone,
    tensors_of,
)
from lifecode.models.luca_one.vocabulary import NUM_TOKENS
from lifecode.models.pretrained import CHECKSUMS, CONFIG
from lifecode.models.weights import WEIGHTS

Layout = Literal["released", "transformers"]
_LAYER = re.compile(r"layers\.(\d+)\.")
_HEAD = re.compile(r"hidden_layer_list\.(\d+)\.weight")
_FREQUENCY_ERROR = 1e-5
_NOT_DONE = {"token_dropout": False, "embed_scale": 1.0}
"""Keys of a config.json that scale embeddings, and their value where nothing is scaled, as it is here."""


class Checkpoint(NamedTuple):
    """A checkpoint under our names: arguments of `LucaOne`, and its weights."""

    shape: dict[str, Any]
    state: dict[str, Tensor]


def read_checkpoint(path: Path) -> Checkpoint | None:
    """The checkpoint in a file or folder; None where there is none of LucaOne's programs.

    Raises:
        UserError: weights that cannot be read, hold more than tensors, or are not those of a LucaOne model.
    """
    file = weights_file(path)
    if file is None:
        return None
    tensors = tensors_of(file)
    try:
        state = as_released(tensors)
    except UserError as fault:
        raise no_lucaone(fault.problem, file) from fault
    for name, x in state.items():
        if not x.is_floating_point():
            raise no_lucaone(f"{name} holds no floating-point numbers", file)
        if not x.isfinite().all():
            raise no_lucaone(f"{name} holds numbers that are not finite", file)
    if RELEASED_EMBEDDING not in state:
        raise no_lucaone(f"there is no {RELEASED_EMBEDDING}", file)
    shape = _shape(state, file)
    names = released_names(shape["depth"], list(shape["heads"]))
    derived = {frequency_name(layer) for layer in range(shape["depth"])} | {RELEASED_TIED}
    wrong_names = [f"{name} is missing" for name in names.values() if name not in state]
    wrong_names += [f"{name} is unexpected" for name in state if name not in {*names.values(), *derived}]
    if wrong_names:
        others = f" (and {len(wrong_names) - 1} more)" if len(wrong_names) > 1 else ""
        raise no_lucaone(f"{wrong_names[0]}{others}", file)
    config = json_object(file.parent / CONFIG)
    for key, usual in _NOT_DONE.items():
        if config.get(key, usual) != usual:
            text = f"{file.parent / CONFIG}: {key} is {config[key]}; embeddings are read as with {usual}"
            warnings.warn(text, stacklevel=4)
    return Checkpoint(shape, {own: state[name] for own, name in names.items()})


def weights_file(path: Path) -> Path | None:
    """The file that holds the weights, or lists their parts; None where `path` is no foreign checkpoint."""
    if path.is_file():
        return path if path.suffix in SUFFIXES else None
    if not path.is_dir() or (path / CHECKSUMS).exists():
        return None
    if (path / RELEASED_FILE).is_file():
        return path / RELEASED_FILE
    if json_object(path / CONFIG).get("model_type") != "lucaone":
        return None
    return next((path / name for name in (*INDICES, WEIGHTS, PICKLED) if (path / name).is_file()), None)


def write_checkpoint(
    state: Mapping[str, Tensor], config: Mapping[str, Any], folder: Path, layout: Layout
) -> None:
    """Writes weights under our names into a new folder in a layout of LucaOne's programs.

    Raises:
        UserError: the layout is unknown or has no place for the heads, or the folder is there already or
            cannot be written.
    """
    if layout not in get_args(Layout):
        raise UserError(f"the layout {layout!r} is unknown", remedy=f"Choose {' or '.join(get_args(Layout))}")
    if layout == "released":
        require_heads_of_a_release(list(config["heads"]))
    require_absent(folder)
    depth, names = config["depth"], released_names(config["depth"], list(config["heads"]))
    released = {names[own]: tensor.detach().cpu().contiguous() for own, tensor in state.items()}
    frequencies = rotary_frequencies(config["width"] // config["num_heads"])
    released |= {frequency_name(layer): frequencies.clone() for layer in range(depth)}
    released[RELEASED_TIED] = released[RELEASED_EMBEDDING].clone()
    with output_folder(folder) as place:
        if layout == "released":
            torch.save(released, place / RELEASED_FILE)
            return
        ported = {port_name(name): tensor for name, tensor in released.items()}
        save_file({name: x for name, x in ported.items() if name}, place / WEIGHTS, metadata={"format": "pt"})
        (place / CONFIG).write_text(json.dumps(_port_config(config), indent=2) + "\n")


def _port_config(config: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "architectures": ["LucaGPLMForMaskedLM"],
        "model_type": "lucaone",
        "vocab_size": NUM_TOKENS,
        "hidden_size": config["width"],
        "ffn_dim": 4 * config["width"],
        "num_hidden_layers": config["depth"],
        "num_attention_heads": config["num_heads"],
        "tie_word_embeddings": True,
    }


def _shape(state: Mapping[str, Tensor], file: Path) -> dict[str, Any]:
    """Arguments of the model, from the shapes of its weights; says what is wrong with the derived ones."""
    if state[RELEASED_EMBEDDING].dim() != 2:
        raise no_lucaone(f"{RELEASED_EMBEDDING} is no matrix", file)
    num_tokens, width = state[RELEASED_EMBEDDING].shape
    if num_tokens != NUM_TOKENS:
        raise no_lucaone(f"its vocabulary has {num_tokens} tokens, not {NUM_TOKENS}", file)
    tied = state.get(RELEASED_TIED)
    if tied is not None and not torch.equal(tied, state[RELEASED_EMBEDDING]):
        raise no_lucaone("the language head has weights of its own, not those of the embedding", file)
    depth = len({found[1] for name in state if (found := _LAYER.match(name))})
    numbers = sorted(int(found[1]) for name in state if (found := _HEAD.fullmatch(name)))
    heads = {}
    try:
        tasks = tasks_of(len(numbers))
    except UserError as fault:
        raise no_lucaone(fault.problem, file) from fault
    for number, task in enumerate(tasks):
        hidden = state.get(f"hidden_layer_list.{number}.weight")
        classes = state.get(f"classifier_list.{number}.weight")
        if hidden is None or classes is None or {hidden.dim(), classes.dim()} != {2}:
            raise no_lucaone(f"the head of {task} (number {number}) is incomplete", file)
        heads[task] = {"hidden": len(hidden), "classes": len(classes)}
    return {
        "width": width,
        "depth": depth,
        "num_heads": _num_heads(state, width, depth, file),
        "heads": heads,
    }


def _num_heads(state: Mapping[str, Tensor], width: int, depth: int, file: Path) -> int:
    """By the rotary frequencies, or where they were not saved by the config.json beside the weights."""
    found = [state[name] for layer in range(depth) if (name := frequency_name(layer)) in state]
    if not found:
        number = json_object(file.parent / CONFIG).get("num_attention_heads")
        if not isinstance(number, int) or not 0 < number <= width or width % (2 * number):
            problem = "neither rotary frequencies nor a config.json say how many heads attention has"
            raise no_lucaone(problem, file)
        return number
    expected = rotary_frequencies(2 * found[0].numel())
    if (
        not len(expected)
        or width % (2 * len(expected))
        or any(
            x.shape != expected.shape or not torch.allclose(x.float(), expected, rtol=_tolerance(x), atol=0)
            for x in found
        )
    ):
        raise no_lucaone("its rotary frequencies are not those of base 10,000", file)
    return width // len(expected) // 2


def _tolerance(x: Tensor) -> float:
    """Of frequencies that may have been rounded to half precision."""
    return max(_FREQUENCY_ERROR, 2 * torch.finfo(x.dtype).eps)
