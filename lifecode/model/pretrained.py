"""A model on disk: config.json, model.safetensors and SHA256SUMS in one folder.

No pickle is read or written. One flipped bit in a weight is noticed by nothing but a checksum, so every
file is verified when it is loaded.
"""

import json
import shutil
import tempfile
from pathlib import Path
from typing import Any

from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import nn

from lifecode.data.checksum import sha256
from lifecode.errors import UserError

CONFIG, WEIGHTS, CHECKSUMS = "config.json", "model.safetensors", "SHA256SUMS"


def save(model: nn.Module, config: dict[str, Any], folder: Path) -> None:
    """Writes the folder under a temporary name and moves it into place."""
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        temporary = Path(tempfile.mkdtemp(prefix=f".{folder.name}-", dir=folder.parent))
    except OSError as error:
        raise UserError(
            f"cannot write here ({error.strerror})", source=folder, remedy="Choose a folder you may write to"
        ) from error
    temporary.chmod(0o755)
    (temporary / CONFIG).write_text(json.dumps(config, indent=2) + "\n")
    tensors = {name: tensor.detach().cpu().contiguous() for name, tensor in model.state_dict().items()}
    save_file(tensors, temporary / WEIGHTS, metadata={"format": "pt"})
    sums = [f"{sha256(temporary / name)}  {name}\n" for name in (CONFIG, WEIGHTS)]
    (temporary / CHECKSUMS).write_text("".join(sums))
    if folder.exists():
        shutil.rmtree(folder)
    temporary.rename(folder)


def read_config(folder: Path, *, family: str | None = None) -> dict[str, Any]:
    """The verified config.json of a model folder.

    Raises:
        UserError: the folder holds no model, a checksum does not match, or the family is another one.
    """
    for name in (CONFIG, WEIGHTS, CHECKSUMS):
        if not (folder / name).is_file():
            raise UserError(
                f"no {name} in this folder",
                source=folder,
                remedy="A model folder is what `lifecode train` leaves as <run_dir>/model",
            )
    listed = [line.split(maxsplit=1) for line in (folder / CHECKSUMS).read_text().splitlines()]
    expected = {words[-1]: words[0] for words in listed if words}
    for name in (CONFIG, WEIGHTS):
        if sha256(folder / name) != expected.get(name):
            raise UserError(
                f"{name} does not match its SHA-256 in {CHECKSUMS}",
                source=folder,
                remedy="The file was changed or damaged: copy it again or train again",
            )
    config = json.loads((folder / CONFIG).read_text())
    if family is not None and config.get("family") != family:
        raise UserError(f"the model is of family {config.get('family')!r}, not {family!r}", source=folder)
    return config


def load_weights(model: nn.Module, folder: Path) -> None:
    """Loads model.safetensors into `model`; every key must be there, in its shape, and none besides."""
    try:
        tensors = load_file(folder / WEIGHTS)
    except SafetensorError as error:
        raise UserError(f"{WEIGHTS} is no safetensors file ({error})", source=folder) from error
    own = model.state_dict()
    missing, unexpected = sorted(own.keys() - tensors.keys()), sorted(tensors.keys() - own.keys())
    reshaped = [
        f"{name} is {tuple(tensors[name].shape)}, the model wants {tuple(own[name].shape)}"
        for name in own.keys() & tensors.keys()
        if own[name].shape != tensors[name].shape
    ]
    problems = [
        *(f"{name} is missing" for name in missing),
        *(f"{name} is unexpected" for name in unexpected),
        *sorted(reshaped),
    ]
    if problems:
        others = f" (and {len(problems) - 1} more)" if len(problems) > 1 else ""
        raise UserError(
            f"the weights are of another shape than the model: {problems[0]}{others}",
            source=folder / WEIGHTS,
            remedy="Load them with the config.json they were saved with",
        )
    model.load_state_dict(tensors)
