"""A tiny run of `lifecode train` in sittings: start one, watch it, send it a signal, look at what it left."""

import csv
import hashlib
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from lifecode.evaluation.metrics import OF_THE_MACHINE
from tests.support.repository import ROOT

SETTINGS = [
    "model.width=32",
    "model.depth=2",
    "model.hybrid_ratio=1:1",
    "model.num_heads=2",
    "model.attention_head_dim=16",
    "model.codec.nucleotide_dim=16",
    "model.codec.conv_channels=8",
    "model.codec.translator_hidden=32",
    "data.split.block_nucleotides=6000",
    "data.split.test=0.2",
    "data.split.validation=0.1",
    "data.batch.max_codons=256",
    "data.batch.rows=4",
    "data.validation_steps=2",
    "optim.tokenizer.total_steps=12",
    "optim.tokenizer.warmup_steps=2",
    "optim.encoder.total_steps=48",
    "optim.encoder.warmup_steps=2",
    "trainer.log_every_steps=1",
    "trainer.validate_every_steps=6",
    "trainer.checkpoint_every_steps=3",
    "teacher=near",
    "teacher.max_train_residues=3000",
    "teacher.max_heldout_residues=1500",
]
LONGEST_SECONDS = 300.0


class Server:
    """See `tests.soak.server`; its end is the end of the `with` block."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.soak.server"],
            cwd=ROOT,
            env={**os.environ, "OMP_NUM_THREADS": "1", "NUMBA_NUM_THREADS": "1", "GOMP_SPINCOUNT": "1000"},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def __enter__(self) -> "Server":
        return self

    def __exit__(self, *_: object) -> None:
        self._process.stdin.close()
        self._process.wait()

    def ask(self, **request: Any) -> Any:
        """The answer to one request."""
        self._process.stdin.write(json.dumps(request) + "\n")
        self._process.stdin.flush()
        return json.loads(self._process.stdout.readline())


@dataclass
class Sitting:
    """One process at work in a run.

    Attributes:
        server: that it was forked from.
        pid: its process id.
        out: file of its stdout.
        err: file of its stderr.
        code: its exit code once it has ended, negative for a signal.
    """

    server: Server
    pid: int
    out: Path
    err: Path
    code: int | None = None

    def ended(self) -> bool:
        """Whether it has."""
        if self.code is None:
            self.code = self.server.ask(poll=self.pid)
        return self.code is not None

    def wait(self) -> "Sitting":
        """Until it has ended."""
        self.until(self.ended)
        return self

    def until(self, happened: Callable[[], Any], *, every: float = 0.002) -> bool:
        """Waits until something has happened, or for its end; whether it did happen."""
        deadline = time.monotonic() + LONGEST_SECONDS
        while not happened():
            assert time.monotonic() < deadline, self.errors()
            if self.ended():
                return bool(happened())
            time.sleep(every)
        return True

    def send(self, number: int) -> None:
        """Sends a signal, if it still runs."""
        if not self.ended():
            os.kill(self.pid, number)

    def kill(self) -> None:
        """SIGKILL."""
        self.send(signal.SIGKILL)
        self.wait()

    def said(self) -> str:
        """Its stdout so far."""
        return self.out.read_text()

    def errors(self) -> list[str]:
        """The lines of its stderr."""
        return self.err.read_text().strip().splitlines()


@dataclass(frozen=True)
class Run:
    """A run folder `run` in a folder of its own, and the command that trains it.

    Attributes:
        server: that its sittings are forked from.
        folder: where the command runs.
        genome: it trains on.
        settings: of this run, beside `SETTINGS`.
        outputs: where its stdout and stderr go, which is no disk that is to be full.
    """

    server: Server
    folder: Path
    genome: Path
    settings: tuple[str, ...] = ()
    outputs: Path = field(default_factory=lambda: Path(tempfile.mkdtemp(prefix="lifecode-soak-")))

    @property
    def path(self) -> Path:
        """The run folder."""
        return self.folder / "run"

    def start(
        self, *settings: str, faults: dict[str, list[int]] | None = None, file_bytes: int | None = None
    ) -> Sitting:
        """Begins a sitting; `file_bytes` is the size at which the system lets no file grow."""
        self.folder.mkdir(parents=True, exist_ok=True)
        out, err = (self.outputs / f"{self.folder.name}.{stream}" for stream in ("out", "err"))
        fixed = ["train", f"input={self.genome}", "run_dir=run", *SETTINGS]
        pid = self.server.ask(
            start={
                "folder": str(self.folder),
                "arguments": [*fixed, *self.settings, *settings],
                "stdout": str(out),
                "stderr": str(err),
                "faults": faults or {},
                "file_bytes": file_bytes,
            }
        )
        return Sitting(self.server, pid, out, err)

    def finish(self, *settings: str, **how: Any) -> Sitting:
        """A sitting to its end, which has to be a good one."""
        sitting = self.start(*settings, **how).wait()
        assert sitting.code == 0, sitting.errors()
        return sitting

    def checkpoints(self, stage: str) -> Path:
        """Folder of a stage's checkpoints."""
        return self.path / stage / "checkpoints"

    def newest(self, stage: str) -> Path:
        """The checkpoint of most steps."""
        return max(self.checkpoints(stage).glob("step=*.ckpt"))

    def rows(self) -> list[tuple[str, ...]]:
        """Whole lines of metrics.csv so far, but for the speeds."""
        try:
            text = (self.path / "metrics.csv").read_text()
        except FileNotFoundError:
            return []
        lines = csv.reader(text[: text.rfind("\n") + 1].splitlines())
        return [tuple(line) for line in lines if line[3] not in OF_THE_MACHINE]

    def has_trained(self, stage: str, step: int) -> bool:
        """Whether metrics.csv has a row of a step."""
        return any(row[1] == stage and int(row[0]) >= step for row in self.rows()[1:])

    def began(self) -> int | None:
        """What changes when a sitting begins to train a stage."""
        try:
            return (self.path / "metrics.csv").stat().st_ino
        except FileNotFoundError:
            return None

    def result(self) -> tuple[list[tuple[str, ...]], str]:
        """All a run leaves that must not depend on its sittings: its losses, and the bytes of its weights."""
        weights = (self.path / "model" / "model.safetensors").read_bytes()
        return self.rows(), hashlib.sha256(weights).hexdigest()
