"""A fine-tuning that is killed again and again ends, by the same command, with the same figures."""

import json
import os
import signal
import subprocess
import sys
import time

import pytest

from tests.support.at_work import paths_at_work
from tests.support.labelled_genes import write_genes
from tests.support.repository import ROOT
from tests.support.small_models import small_model

pytestmark = pytest.mark.slow
SETTINGS = (
    "tuning=lora",
    "lora.rank=[2,3]",
    "fit.epochs=3",
    "fit.batch=4",
    "fit.checkpoint_every_steps=2",
    "baselines=[constant]",
    "folds=2",
)
"""Two folds and the model of all rows, each with a grid of two: six fits."""


def started(folder, name):
    command = ["finetune", f"checkpoint={folder}/model", f"task.train={folder}/train.csv", *SETTINGS]
    return subprocess.Popen(
        [sys.executable, "-m", "lifecode", *command, f"run_dir={folder}/{name}"],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )


def done_in(work):
    """Fits that are done, and checkpoints of others."""
    return len(paths_at_work(work, "*/fit.json")), len(paths_at_work(work, "*/checkpoints/*.sha256"))


def kill_at(folder, name, fits, number):
    """Kills a run once it has done so many fits and is within another."""
    process, work = started(folder, name), folder / f"{name}.unfinished"
    deadline = time.monotonic() + 600
    while process.poll() is None and time.monotonic() < deadline:
        done, checkpoints = done_in(work)
        if done >= fits and checkpoints:
            process.send_signal(number)
            break
        time.sleep(0.005)
    assert process.wait(600) != 0
    assert not (folder / name).exists()
    return process


def test_killed_three_times_it_ends_with_the_same_figures(tmp_path):
    small_model().save_pretrained(tmp_path / "model")
    write_genes(tmp_path / "train.csv", 32)
    whole = started(tmp_path, "whole")
    assert whole.wait(600) == 0, whole.stderr.read() if whole.stderr else ""
    kill_at(tmp_path, "killed", 0, signal.SIGKILL)
    kill_at(tmp_path, "killed", 2, signal.SIGKILL)
    asked = kill_at(tmp_path, "killed", 4, signal.SIGTERM)
    assert asked.returncode == 130
    assert asked.stderr is not None
    assert "the same command goes on" in asked.stderr.read()
    fits = sorted((tmp_path / "killed.unfinished").glob("*/fit.json"))
    written = {path: path.stat().st_mtime_ns for path in fits}
    assert len(written) >= 4
    last = started(tmp_path, "killed")
    untouched = True
    while last.poll() is None:
        for path, when in written.items():
            untouched &= not path.exists() or path.stat().st_mtime_ns == when
        time.sleep(0.05)
    assert last.returncode == 0
    assert untouched
    found, expected = (
        json.loads((tmp_path / name / "metrics.json").read_text()) for name in ("killed", "whole")
    )
    assert found == expected
    for name in ("predictions.csv", "head.safetensors", "adapter/adapter_model.safetensors"):
        assert (tmp_path / "killed" / name).read_bytes() == (tmp_path / "whole" / name).read_bytes(), name
    assert not (tmp_path / "killed.unfinished").exists()
