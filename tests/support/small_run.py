"""A run of seconds through the command that a user types, and what it logged."""

import csv
import os
import subprocess
import sys
from pathlib import Path

from lifecode.evaluation.metrics import OF_THE_MACHINE

COMMAND = [sys.executable, "-c", "import sys; from lifecode.app.main import main; sys.exit(main())"]
"""The command that is installed, whatever the PATH."""

SMALL = [
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
    "data.batch.rows=2",
    "optim.tokenizer.total_steps=6",
    "optim.tokenizer.warmup_steps=1",
    "optim.encoder.total_steps=8",
    "optim.encoder.warmup_steps=1",
    "trainer.log_every_steps=1",
    "trainer.validate_every_steps=4",
    "trainer.checkpoint_every_steps=3",
    "teacher=near",
    "teacher.max_train_residues=3000",
    "teacher.max_heldout_residues=1500",
]
"""Both stages on 60,000 nucleotides, in seconds."""


def lifecode(folder: Path, *arguments: str, **changes: str) -> subprocess.CompletedProcess[str]:
    """The command with its arguments, started in a folder; `changes` are those of the environment."""
    environment = {**os.environ, "OMP_NUM_THREADS": "1", **changes}
    return subprocess.run(
        [*COMMAND, *arguments], cwd=folder, capture_output=True, text=True, env=environment, check=False
    )


def train(folder: Path, genome: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """`lifecode train` at the small sizes, into `runs/small` of a folder."""
    return lifecode(folder, *arguments_of(genome, *arguments))


def arguments_of(genome: Path, *arguments: str) -> list[str]:
    """What `train` gives to the command."""
    return ["train", f"input={genome}", "name=small", *SMALL, *arguments]


def losses(run: Path) -> list[tuple[str, ...]]:
    """Everything a run logged but its speed and memory."""
    with (run / "metrics.csv").open() as file:
        rows = [tuple(row.values()) for row in csv.DictReader(file)]
    return [row for row in rows if row[3] not in OF_THE_MACHINE]


def runs_of(sweep: Path) -> list[Path]:
    """The folders of its runs, sorted; Hydra's `multirun.yaml` lies beside them."""
    return sorted(path for path in sweep.iterdir() if path.is_dir())
