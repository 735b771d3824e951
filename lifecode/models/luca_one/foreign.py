"""Checkpoints of LucaOne's own programs: found, read and written. Of pickles only tensors are taken.

A released checkpoint is a file `pytorch.pth`, or the folder around it; what lies beside it (`alphabet.pkl`,
`training_args.bin`) is never opened. A folder of the transformers port has config.json and safetensors, whole
or in parts. The shape of the model is read from the weights.
"""

import json
import pickle
import re
import warnings
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal, NamedTuple, get_args

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
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
from lifecode.models.luca_one.vocabulary import NUM_TOKENS
from lifecode.models.pretrained import CHECKSUMS, CONFIG, LONGEST_CONFIG
from lifecode.models.weights import WEIGHTS

Layout = Literal["released", "transformers"]
RELEASED_FILE, PICKLED = "pytorch.pth", "pytorch_model.bin"
INDICES = (f"{WEIGHTS}.index.json", f"{PICKLED}.index.json")
"""Which part of the weights each tensor is in."""
_SUFFIXES = (".pth", ".pt", ".bin", ".safetensors")
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
    state = as_released(_tensors(file))
    wrong = next((name for name, x in state.items() if not x.is_floating_point()), None)
    if RELEASED_EMBEDDING not in state or wrong is not None:
        what = f"{wrong} holds no floating-point numbers" if wrong else f"there is no {RELEASED_EMBEDDING}"
        raise _no_lucaone(what, file)
    shape = _shape(state, file)
    names = released_names(shape["depth"], list(shape["heads"]))
    derived = {frequency_name(layer) for layer in range(shape["depth"])} | {RELEASED_TIED}
    wrong_names = [f"{name} is missing" for name in names.values() if name not in state]
    wrong_names += [f"{name} is unexpected" for name in state if name not in {*names.values(), *derived}]
    if wrong_names:
        others = f" (and {len(wrong_names) - 1} more)" if len(wrong_names) > 1 else ""
        raise _no_lucaone(f"{wrong_names[0]}{others}", file)
    config = _json(file.parent / CONFIG)
    for key, usual in _NOT_DONE.items():
        if config.get(key, usual) != usual:
            text = f"{file.parent / CONFIG}: {key} is {config[key]}; embeddings are read as with {usual}"
            warnings.warn(text, stacklevel=4)
    return Checkpoint(shape, {own: state[name] for own, name in names.items()})


def weights_file(path: Path) -> Path | None:
    """The file that holds the weights, or lists their parts; None where `path` is no foreign checkpoint."""
    if path.is_file():
        return path if path.suffix in _SUFFIXES else None
    if not path.is_dir() or (path / CHECKSUMS).exists():
        return None
    if (path / RELEASED_FILE).is_file():
        return path / RELEASED_FILE
    if _json(path / CONFIG).get("model_type") != "lucaone":
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
        raise _no_lucaone(f"{RELEASED_EMBEDDING} is no matrix", file)
    num_tokens, width = state[RELEASED_EMBEDDING].shape
    if num_tokens != NUM_TOKENS:
        raise _no_lucaone(f"its vocabulary has {num_tokens} tokens, not {NUM_TOKENS}", file)
    tied = state.get(RELEASED_TIED)
    if tied is not None and not torch.equal(tied, state[RELEASED_EMBEDDING]):
        raise _no_lucaone("the language head has weights of its own, not those of the embedding", file)
    depth = len({found[1] for name in state if (found := _LAYER.match(name))})
    numbers = sorted(int(found[1]) for name in state if (found := _HEAD.fullmatch(name)))
    heads = {}
    for number, task in enumerate(tasks_of(len(numbers))):
        hidden = state.get(f"hidden_layer_list.{number}.weight")
        classes = state.get(f"classifier_list.{number}.weight")
        if hidden is None or classes is None or {hidden.dim(), classes.dim()} != {2}:
            raise _no_lucaone(f"the head of {task} (number {number}) is incomplete", file)
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
        number = _json(file.parent / CONFIG).get("num_attention_heads")
        if not isinstance(number, int) or not 0 < number <= width or width % (2 * number):
            problem = "neither rotary frequencies nor a config.json say how many heads attention has"
            raise _no_lucaone(problem, file)
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
        raise _no_lucaone("its rotary frequencies are not those of base 10,000", file)
    return width // len(expected) // 2


def _tolerance(x: Tensor) -> float:
    """Of frequencies that may have been rounded to half precision."""
    return max(_FREQUENCY_ERROR, 2 * torch.finfo(x.dtype).eps)


def _tensors(file: Path) -> dict[str, Tensor]:
    """The tensors of a file, or of all files that an index lists."""
    try:
        if file.name in INDICES:
            return {name: x for part in _parts(file) for name, x in _tensors(part).items()}
        if file.suffix == ".safetensors":
            return load_file(file)
        loaded = torch.load(file, map_location="cpu", weights_only=True, mmap=zipfile.is_zipfile(file))
    except (SafetensorError, pickle.UnpicklingError, RuntimeError, EOFError, OSError, ValueError) as error:
        if isinstance(error, UserError):
            raise
        reason = str(error).partition("\n")[0]
        is_beside = file.name != RELEASED_FILE and file.with_name(RELEASED_FILE).is_file()
        raise UserError(
            f"cannot be read as weights, and nothing but weights is read ({reason[:200]})",
            source=file,
            remedy=f"Give {RELEASED_FILE}, which lies beside it"
            if is_beside
            else "Copy it again, or give a file that holds tensors alone",
        ) from error
    if not isinstance(loaded, dict) or not all(isinstance(x, Tensor) for x in loaded.values()):
        raise _no_lucaone("it is no mapping of names to tensors", file)
    return dict(loaded)


def _parts(index: Path) -> list[Path]:
    """The files beside an index that it lists, each once."""
    listed = _json(index).get("weight_map")
    names = list(listed.values()) if isinstance(listed, dict) else []
    wrong = next((name for name in names if not isinstance(name, str) or Path(name).name != name), None)
    if wrong is not None or not names:
        raise _no_lucaone("it lists no files" if wrong is None else f"it lists {wrong!r}", index)
    if any(Path(name).suffix not in _SUFFIXES for name in names):
        raise _no_lucaone("it lists files that hold no weights", index)
    return [index.parent / name for name in sorted(set(names))]


def _json(file: Path) -> dict[str, Any]:
    """An object of a JSON file; an empty one where there is none that can be read."""
    try:
        if file.stat().st_size > 16 * LONGEST_CONFIG:
            return {}
        content = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        return {}
    return content if isinstance(content, dict) else {}


def _no_lucaone(problem: str, file: Path) -> UserError:
    return UserError(
        f"these are not the weights of a LucaOne model: {problem}",
        source=file,
        remedy="Give the pytorch.pth of a release, a folder of its transformers port, or a model folder",
    )
