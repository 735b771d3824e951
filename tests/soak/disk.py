"""A disk that fills up at a chosen moment: a tmpfs of a few megabytes where that may be mounted."""

import os
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from lifecode.training.run.checkpoint_file import latest_checkpoint
from tests.soak.sitting import Run, Sitting

MEGABYTES = 64
HARDLY_ANY_ROOM = 40_000


class Filling(NamedTuple):
    """When the disk fills up.

    Attributes:
        name: of what is about to be written, for the table.
        moment: a glob in the folder of the run, for the file whose appearance is the moment; without one
            there is hardly any room from the beginning.
        named: what the one line on stderr has to name.
        settings: of the sitting in which it happens.
    """

    name: str
    moment: str
    named: str
    settings: tuple[str, ...] = ()


RARELY = ("trainer.checkpoint_every_steps=1000", "trainer.validate_every_steps=1000")
FILLINGS = [
    Filling("corpus", "", "run/corpus"),
    Filling("checkpoint", "run/tokenizer/checkpoints/step=0000003.ckpt", "checkpoints/step=0000006.ckpt"),
    Filling("metrics.csv", "run/metrics.csv", "run/metrics.csv", RARELY),
    Filling("teacher features", "run/tokenizer/model/SHA256SUMS", "run/teacher"),
    Filling(
        "model", "run/encoder/checkpoints/step=0000045.ckpt", "run/", ("trainer.checkpoint_every_steps=45",)
    ),
]


@contextmanager
def small_disk(folder: Path) -> Iterator[Path]:
    """A file system of its own that holds a few megabytes.

    Raises:
        PermissionError: it may not be mounted here.
    """
    folder.mkdir(parents=True)
    options = ["-t", "tmpfs", "-o", f"size={MEGABYTES}m", "tmpfs", str(folder)]
    if subprocess.run(["mount", *options], capture_output=True, check=False).returncode:
        raise PermissionError("mount")
    try:
        yield folder
    finally:
        subprocess.run(["umount", "-l", str(folder)], check=True)


def fill(folder: Path) -> Path:
    """A file that takes all the room there is, to the last byte of the last page."""
    ballast = folder / "ballast"
    with ballast.open("wb", buffering=0) as file:
        try:
            while True:
                file.write(bytes(1 << 16))
        except OSError:
            pass
        try:
            while True:
                file.write(bytes(1))
        except OSError:
            pass
    return ballast


def fills_up(run: Run, filling: Filling) -> list[str]:
    """Runs on a disk that fills up, then makes room; what is wrong with what happens."""
    if filling.moment:
        sitting = run.start(*filling.settings)
        assert sitting.until(lambda: any(run.folder.glob(filling.moment)), every=0.0), sitting.errors()
        ballast = _fill_while_it_sleeps(sitting, run.folder)
    else:
        run.folder.mkdir()
        ballast = fill(run.folder)
        os.truncate(ballast, ballast.stat().st_size - HARDLY_ANY_ROOM)
        sitting = run.start(*filling.settings)
    sitting.wait()
    lines, wrong = [line for line in sitting.errors() if line.startswith("lifecode train:")], []
    if (
        sitting.code != 2
        or len(lines) != 1
        or not any(words in lines[0] for words in ("No space left", "MiB are free"))
        or filling.named not in lines[0]
    ):
        wrong.append(f"exit code {sitting.code}: {sitting.errors()}")
    left = [path for path in run.path.rglob("*.partial") if path.name != ".corpus.partial"]
    if left:
        wrong.append(f"left behind: {left}")
    for stage in ("tokenizer", "encoder"):
        if run.checkpoints(stage).exists():
            latest_checkpoint(run.checkpoints(stage))  # raises if none can be loaded
    ballast.unlink()
    run.finish()
    return wrong


def _fill_while_it_sleeps(sitting: Sitting, folder: Path) -> Path:
    os.kill(sitting.pid, signal.SIGSTOP)
    try:
        return fill(folder)
    finally:
        os.kill(sitting.pid, signal.SIGCONT)
