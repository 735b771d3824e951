"""LoRA by peft: adapters on linear layers of the encoder's stack, in a folder that peft reads too."""

import copy
import json
from pathlib import Path
from typing import Any

from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import nn

from lifecode.errors import UserError
from lifecode.models.saved import SavedModel
from lifecode.tasks.tuning.settings import Lora

CONFIG, WEIGHTS = "adapter_config.json", "adapter_model.safetensors"
_GATES = ("a_proj", "b_proj")
"""One column a head: too narrow for a low rank to say less than the whole."""


def target_modules(model: Any, targets: list[str] | None) -> list[str]:
    """Full names of the linear layers that get adapters; depth-wise convolutions are none.

    Raises:
        UserError: a target that names no linear layer of the stack.
    """
    linear = [
        f"encoder.layers.{name}"
        for name, module in model.encoder.layers.named_modules()
        if isinstance(module, nn.Linear)
    ]
    known = sorted({name.rpartition(".")[2] for name in linear})
    for target in targets or []:
        if target not in known:
            raise UserError(
                f"{target!r} is no linear layer of the stack",
                source="lora.targets",
                remedy=f"Use {', '.join(known)}" if known else "The model has no layers: use tuning=head",
            )
    chosen = [name for name in known if name not in _GATES] if targets is None else targets
    return [name for name in linear if name.rpartition(".")[2] in chosen]


def with_adapters(model: SavedModel, lora: Lora, rank: int, alpha: int) -> Any:
    """A copy of a model as a `peft.PeftModel` with new adapters that change nothing yet.

    Raises:
        UserError: no peft, or no linear layer to adapt.
    """
    peft = _peft()
    modules = target_modules(model, lora.targets)
    if not modules:
        raise UserError("finds no linear layer in the stack", source="lora", remedy="Use tuning=head")
    config = peft.LoraConfig(
        r=rank, lora_alpha=alpha, lora_dropout=lora.dropout, target_modules=modules, bias="none"
    )
    return peft.get_peft_model(copy.deepcopy(model), config)


def save_adapters(adapted: Any, folder: Path) -> None:
    """Write adapter_config.json and adapter_model.safetensors into a folder that is made."""
    folder.mkdir()
    config = adapted.peft_config["default"].to_dict()
    config["target_modules"] = sorted(config["target_modules"])
    config["inference_mode"] = True
    text = json.dumps(config, indent=2, sort_keys=True, default=str) + "\n"
    (folder / CONFIG).write_text(text, encoding="utf-8")
    state = _peft().get_peft_model_state_dict(adapted)
    save_file({name: value.detach().cpu().contiguous() for name, value in state.items()}, folder / WEIGHTS)


def load_adapters(model: SavedModel, folder: Path) -> Any:
    """A copy of a model with the adapters of a folder, as a `peft.PeftModel`.

    peft itself passes over names that do not match; here each must be there on both sides.

    Raises:
        UserError: no peft, a damaged file, or adapters of another model.
    """
    peft = _peft()
    try:
        config = peft.LoraConfig.from_pretrained(str(folder))
        state = load_file(folder / WEIGHTS)
        adapted = peft.get_peft_model(copy.deepcopy(model), config)
    except (OSError, ValueError, TypeError, KeyError, SafetensorError) as fault:
        raise UserError(
            f"holds no adapters of this model ({fault})", source=folder, remedy="Copy the folder again"
        ) from fault
    own = {name: tuple(x.shape) for name, x in peft.get_peft_model_state_dict(adapted).items()}
    found = {name: tuple(x.shape) for name, x in state.items()}
    if different := sorted(set(own.items()) ^ set(found.items())):
        raise UserError(
            f"does not fit the model: {different[0][0]} is missing, too many or of another shape",
            source=folder / WEIGHTS,
            remedy="Copy the folder again, encoder and adapters together",
        )
    peft.set_peft_model_state_dict(adapted, state)
    return adapted.eval()


def merged(adapted: Any) -> SavedModel:
    """The model alone, its adapters added to its weights."""
    return adapted.merge_and_unload()


def _peft() -> Any:
    try:
        import peft
    except ModuleNotFoundError as fault:
        raise UserError("tuning=lora needs peft", remedy="pip install 'lifecode[hf]'") from fault
    return peft
