"""Checkpoint files: written whole with their SHA-256 beside them, and verified before anything is loaded.

`step=0000025.ckpt.sha256` holds one line that `sha256sum -c` reads. It takes its place before the checkpoint
does, so that there is no moment at which a checkpoint has none: of a run that is killed while it saves, the
one before stays the newest.
"""

import hashlib
import logging
import pickle
import re
from pathlib import Path
from typing import Any, BinaryIO

import torch
from lightning import LightningModule
from lightning.fabric.plugins import TorchCheckpointIO

from lifecode.errors import UserError
from lifecode.host.checksum import sha256
from lifecode.host.durable import delete_partials, disk_faults_named, replacing

logger = logging.getLogger(__name__)
STOPPED_EARLY = "stopped_early"
"""Key of a checkpoint at whose step a callback had ended the stage."""
_PATTERN, _CHECKSUM = "step=*.ckpt", ".sha256"
_NAME = re.compile(r"step=[0-9]{7,18}\.ckpt")


def checkpoint_path(folder: Path, step: int) -> Path:
    """Where the checkpoint after `step` steps lies."""
    return folder / f"step={step:07d}.ckpt"


def checkpoint_step(path: Path) -> int:
    """The number of steps a checkpoint holds."""
    return int(path.stem.removeprefix("step="))


def latest_checkpoint(folder: Path) -> Path | None:
    """The checkpoint of most steps that can be loaded, or None where there is no checkpoint at all.

    One that cannot is named on stderr, and stays until the stage has come as far again.

    Raises:
        UserError: there are checkpoints, and none of them can be loaded.
    """
    paths = _checkpoints(folder)[::-1]
    for path in paths:
        fault = fault_of(path)
        if fault is None:
            return path
        logger.warning("%s: this checkpoint %s, so the one before it is used", path, fault)
    if paths:
        raise UserError(
            f"none of the {len(paths)} checkpoints here can be loaded",
            source=folder,
            remedy="Bring back a copy, or delete this folder to begin the stage anew",
        )
    return None


def fault_of(path: Path) -> str | None:
    """Why a checkpoint of a run cannot be loaded; None if it can. No code in it is run."""
    if not _checksum_path(path).is_file():
        return f"has no checksum ({_checksum_path(path).name})"
    try:
        checkpoint = _read(path)
    except _Unreadable as fault:
        return str(fault)
    if checkpoint.get("global_step", checkpoint_step(path)) != checkpoint_step(path):
        return "holds another step than its name says"
    return None


def stopped_early(path: Path) -> bool:
    """Whether a callback had ended the stage when a checkpoint of it, which can be loaded, was saved."""
    return bool(_load(path).get(STOPPED_EARLY, False))


def read_hyperparameters(path: Path, stage: str) -> dict[str, Any]:
    """What a stage was made with, from a checkpoint that any `Trainer` saved; no code in it is run.

    Args:
        path: of the checkpoint; if its checksum lies beside it, it is verified.
        stage: name of the stage that is expected.

    Raises:
        UserError: it cannot be loaded, or holds none of such a stage.
    """
    try:
        found = _read(path).get(LightningModule.CHECKPOINT_HYPER_PARAMS_KEY)
    except _Unreadable as fault:
        raise UserError(f"this checkpoint {fault}", source=path) from fault
    if not isinstance(found, dict) or found.get("stage") != stage:
        of = found.get("stage") if isinstance(found, dict) else None
        raise UserError(
            f"holds the hyper-parameters of {f'stage {of}' if of else 'no stage'}, and {stage} is asked for",
            source=path,
            remedy="Give a checkpoint of that stage; those of an older lifecode hold none",
        )
    return {name: value for name, value in found.items() if name != "stage"}


def load_module_state(module: LightningModule, path: Path) -> None:
    """Loads the weights and buffers of a checkpoint into a module, without running any code from it.

    Raises:
        UserError: they are those of another model.
    """
    try:
        module.load_state_dict(_load(path)["state_dict"])
    except (RuntimeError, KeyError, ValueError) as error:
        raise UserError(
            f"the checkpoint does not fit the model ({_short(error)})",
            source=path,
            remedy="Delete the run folder to start again, or restore the configuration it was made with",
        ) from error


def write_checkpoint(checkpoint: dict[str, Any], path: Path) -> None:
    """Writes a checkpoint and its checksum so that either both are there or what was there before.

    Raises:
        UserError: the disk is full or cannot be written.
    """
    with disk_faults_named(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        with replacing(path) as file:
            hashed = _HashedFile(file)
            torch.save(checkpoint, hashed)  # pyright: ignore[reportArgumentType]
            hashed.raise_fault()
            with replacing(_checksum_path(path)) as sidecar:
                sidecar.write(f"{hashed.digest.hexdigest()}  {path.name}\n".encode())


def delete_checkpoint(path: Path) -> None:
    """Deletes a checkpoint, then its checksum."""
    path.unlink(missing_ok=True)
    _checksum_path(path).unlink(missing_ok=True)


def keep_checkpoints(folder: Path, *, up_to: int, number: int) -> None:
    """Keeps the newest checkpoints up to a step and deletes all else, what a kill left half written too.

    A checkpoint of more steps is one that could not be loaded, or the run would have gone on from it.
    """
    for path in _checkpoints(folder):
        if checkpoint_step(path) > up_to:
            delete_checkpoint(path)
    for path in _checkpoints(folder)[:-number]:
        delete_checkpoint(path)
    for sidecar in folder.glob(_PATTERN + _CHECKSUM):
        checkpoint = sidecar.with_suffix("")
        if _NAME.fullmatch(checkpoint.name) and not checkpoint.exists() and sidecar.is_file():
            sidecar.unlink(missing_ok=True)
    for pattern in (_PATTERN, _PATTERN + _CHECKSUM):
        delete_partials(folder, pattern)


def _checkpoints(folder: Path) -> list[Path]:
    """The checkpoints of a folder by step; what else lies there, such as `step=abc.ckpt`, is none."""
    found = (path for path in folder.glob(_PATTERN) if _NAME.fullmatch(path.name) and path.is_file())
    return sorted(found, key=checkpoint_step)


class DurableCheckpointIO(TorchCheckpointIO):
    """How Lightning's strategies write the checkpoint of a run: see `write_checkpoint`.

    Lightning's own way holds a copy of the checkpoint in memory, writes it in the folder for temporary files,
    and moves it over file systems.
    """

    def save_checkpoint(self, checkpoint: dict[str, Any], path: Any, storage_options: Any = None) -> None:
        """Writes a checkpoint; there are no options."""
        assert storage_options is None
        write_checkpoint(checkpoint, Path(path))

    def remove_checkpoint(self, path: Any) -> None:
        """Deletes a checkpoint, then its checksum."""
        delete_checkpoint(Path(path))


class _HashedFile:
    """What `torch.save` writes to. Keeps the first fault of the disk: raised inside, it would be lost."""

    def __init__(self, file: BinaryIO) -> None:
        self.digest = hashlib.sha256()
        self._file = file
        self._fault: OSError | None = None

    def write(self, data: bytes) -> int:
        if self._fault is None:
            try:
                self._file.write(data)
            except OSError as fault:
                self._fault = fault
            self.digest.update(data)
        return len(data)

    def flush(self) -> None:
        """Nothing: the file is forced to the disk at the end."""

    def raise_fault(self) -> None:
        if self._fault is not None:
            raise self._fault


def _checksum_path(checkpoint: Path) -> Path:
    return checkpoint.with_name(checkpoint.name + _CHECKSUM)


class _Unreadable(ValueError):
    """A checkpoint cannot be loaded; the message says why, to follow its name."""


def _read(path: Path) -> dict[str, Any]:
    """All of a checkpoint, memory-mapped, after the comparison with its checksum if there is one."""
    sidecar = _checksum_path(path)
    try:
        if sidecar.is_file() and sidecar.read_bytes().split()[:1] != [sha256(path).encode()]:
            raise _Unreadable(f"differs from its checksum ({sidecar.name})")
        checkpoint = _load(path)
    except _Unreadable:
        raise
    except pickle.UnpicklingError as fault:
        raise _Unreadable("holds more than tensors and numbers, which is never loaded") from fault
    except OSError as fault:
        raise _Unreadable(f"cannot be read ({fault.strerror or fault})") from fault
    except (RuntimeError, KeyError, ValueError, EOFError) as fault:
        raise _Unreadable(f"cannot be loaded ({_short(fault)})") from fault
    if not isinstance(checkpoint, dict) or "state_dict" not in checkpoint:
        raise _Unreadable("cannot be loaded (it holds no weights)")
    return checkpoint


def _load(path: Path) -> Any:
    """What is in a file, memory-mapped."""
    return torch.load(path, map_location="cpu", weights_only=True, mmap=True)


def _short(error: Exception) -> str:
    return " ".join(str(error).split())[:160]
