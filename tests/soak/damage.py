"""Files that changed behind the run's back: named, and survived where something good is left."""

import hashlib
import os
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import torch

from lifecode.training.run.checkpoint_file import checkpoint_path
from tests.soak.sitting import Run


class Damage(NamedTuple):
    """One way to damage a run folder.

    Attributes:
        name: for the table.
        harm: does it.
        named: what the one line on stderr has to name.
        goes_on: whether the same command ends with the weights of the undamaged run; else it says why not.
    """

    name: str
    harm: Callable[[Run], object]
    named: str
    goes_on: bool


def flip_byte(path: Path, position: float = 0.5) -> None:
    """Inverts one bit in a file, at this share of its length."""
    with path.open("r+b") as file:
        where = int(position * path.stat().st_size)
        file.seek(where)
        (byte,) = file.read(1)
        file.seek(where)
        file.write(bytes([byte ^ 0x10]))


class Intruder:
    """What unpickles into a call that leaves a file behind."""

    def __init__(self, mark: Path) -> None:
        self.mark = mark

    def __reduce__(self) -> tuple[Callable[..., object], tuple[str]]:
        return os.mkdir, (str(self.mark),)


def plant_code(run: Run) -> None:
    """Makes the newest checkpoint one that carries code, with the checksum that belongs to it."""
    path = run.newest("encoder")
    state = torch.load(path, weights_only=True)
    torch.save({**state, "code": Intruder(run.folder / "code-ran")}, path)
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    path.with_name(f"{path.name}.sha256").write_text(f"{digest}  {path.name}\n")


def truncate(path: Path) -> None:
    """Leaves two thirds of a file."""
    os.truncate(path, path.stat().st_size * 2 // 3)


def harm_every_checkpoint(run: Run) -> None:
    """A flipped byte in each checkpoint of stage 2."""
    for path in run.checkpoints("encoder").glob("step=*.ckpt"):
        flip_byte(path)


def checksum_of_newest(run: Run) -> Path:
    """The sidecar of the newest checkpoint."""
    path = run.newest("encoder")
    return path.with_name(f"{path.name}.sha256")


NEWEST = checkpoint_path(Path(), 48).name
DAMAGES = [
    Damage("checkpoint, a flipped byte", lambda run: flip_byte(run.newest("encoder")), NEWEST, True),
    Damage("checkpoint, cut short", lambda run: truncate(run.newest("encoder")), NEWEST, True),
    Damage("checkpoint without its checksum", lambda run: checksum_of_newest(run).unlink(), NEWEST, True),
    Damage("checkpoint that carries code", plant_code, NEWEST, True),
    Damage("every checkpoint, a flipped byte", harm_every_checkpoint, "none of the 2 checkpoints", False),
    Damage(
        "tokenizer, a flipped byte",
        lambda run: flip_byte(run.path / "tokenizer/model/model.safetensors"),
        "tokenizer/model: model.safetensors",
        True,
    ),
    Damage(
        "tokenizer's checksums, a flipped bit",
        lambda run: flip_byte(run.path / "tokenizer/model/SHA256SUMS", 0.01),
        "it is written again from the last checkpoint",
        True,
    ),
    Damage(
        "what stage 2 began with, a flipped bit",
        lambda run: flip_byte(run.path / "encoder/started_from.txt", 0.1),
        "encoder/started_from.txt: is damaged",
        False,
    ),
    Damage(
        "the teacher's name, a flipped bit",
        lambda run: flip_byte(run.path / "teacher.txt", 0.1),
        "teacher.txt: is damaged",
        False,
    ),
    Damage(
        "a config that contains itself",
        lambda run: (run.path / "config.yaml").write_text("a: &a [*a]\n"),
        "config.yaml: is damaged",
        False,
    ),
    Damage(
        "corpus cache, a flipped byte",
        lambda run: flip_byte(run.path / "corpus/cache/cds-train/nucleotides.npy"),
        "cache/cds-train/nucleotides.npy",
        False,
    ),
    Damage(
        "corpus shard, a flipped byte",
        lambda run: flip_byte(run.path / "corpus/shards/cds-00000.parquet"),
        "shards/cds-00000.parquet",
        False,
    ),
    Damage(
        "teacher features, a flipped byte",
        lambda run: flip_byte(
            max((run.path / "teacher").rglob("*.safetensors"), key=lambda path: path.stat().st_size)
        ),
        "differs from its checksum; its proteins are computed again",
        True,
    ),
    Damage(
        "metrics.csv, its last line cut short",
        lambda run: os.truncate(run.path / "metrics.csv", (run.path / "metrics.csv").stat().st_size - 4),
        "metrics.csv",
        True,
    ),
]


def survives(finished: Run, damage: Damage, folder: Path) -> list[str]:
    """Damages a copy of a finished run and gives the same command; what is wrong with what happens then."""
    run = replace(finished, folder=folder)
    shutil.copytree(finished.path, run.path)
    (run.path / "metrics.json").unlink()  # so that there is something left to do
    if damage.named == "metrics.csv":  # which is read where there is training to go on with
        newest = run.newest("encoder")
        newest.unlink()
    damage.harm(run)
    sitting = run.start().wait()
    lines = sitting.errors()
    wrong = []
    if sum(damage.named in line for line in lines) != 1:
        wrong.append(f"not named in one line: {lines}")
    if any("Traceback" in line for line in lines):
        wrong.append("a traceback")
    if (run.folder / "code-ran").exists():
        wrong.append("the code ran")
    if damage.goes_on and (sitting.code != 0 or run.result() != finished.result()):
        wrong.append(f"exit code {sitting.code}, or another result")
    if not damage.goes_on and sitting.code != 2:
        wrong.append(f"exit code {sitting.code}")
    return wrong
