"""Teachers through the real command: ESM-2 killed and resumed, a shared cache, the arms of distillation."""

import csv
import json
import os
import re
import signal
import subprocess
import time
from pathlib import Path

import pytest
import yaml

from tests.support.at_work import paths_at_work
from tests.support.esm_checkpoint import save_esm_checkpoint
from tests.support.small_run import COMMAND, SMALL, lifecode, losses, runs_of

pytestmark = pytest.mark.slow
WITHOUT_TEACHER = [line for line in SMALL if not line.startswith("teacher")]


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory) -> Path:
    return save_esm_checkpoint(tmp_path_factory.mktemp("esm") / "esm2_small")


def arguments(genome: Path, checkpoint: Path, *more: str) -> list[str]:
    esm2 = ["teacher=esm2", f"teacher.model.checkpoint={checkpoint}", "teacher.model.window=200"]
    esm2.append("teacher.model.overlap=100")
    return ["train", f"input={genome}", "name=small", *WITHOUT_TEACHER, *esm2, *more]


def packs(folder: Path) -> dict[Path, int]:
    """When each pack of features was written."""
    written = paths_at_work(folder, "esm2-*/[0-9][0-9]/*.safetensors")
    return {path: path.stat().st_mtime_ns for path in written}


def metrics(run: Path) -> dict:
    return json.loads((run / "metrics.json").read_text())


def test_esm2_killed_while_it_reads_goes_on_and_ends_the_same(small_genome, checkpoint, tmp_path):
    whole = lifecode(tmp_path, *arguments(small_genome, checkpoint, "run_dir=runs/whole"))
    assert whole.returncode == 0, whole.stderr
    assert "still to be computed" in whole.stdout
    run = tmp_path / "runs" / "killed"
    command = [*COMMAND, *arguments(small_genome, checkpoint, "run_dir=runs/killed")]
    process = subprocess.Popen(
        command,
        cwd=tmp_path,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    deadline = time.monotonic() + 300
    while not packs(run / "teacher") and time.monotonic() < deadline:
        time.sleep(0.001)
    process.send_signal(signal.SIGKILL)
    process.wait()
    left = packs(run / "teacher")
    assert left
    again = lifecode(tmp_path, *command[3:])
    assert again.returncode == 0, again.stderr
    assert left.items() <= packs(run / "teacher").items()
    assert losses(run) == losses(tmp_path / "runs" / "whole")
    one, other = metrics(run), metrics(tmp_path / "runs" / "whole")
    assert one["heldout"] == other["heldout"]
    assert one["data"]["teacher"] == other["data"]["teacher"]
    assert one["data"]["teacher"]["name"].startswith("esm2-t2-w16-")
    assert 0 < one["heldout"]["teacher_probe_r2"]["value"] < 1


def test_runs_share_a_cache_and_its_place_is_no_part_of_a_run(small_genome, checkpoint, tmp_path, here):
    def train(name: str, *more: str):
        done = here(
            tmp_path,
            *arguments(small_genome, checkpoint, f"run_dir=runs/{name}", "trainer.max_steps=1", *more),
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    assert re.search(
        r"take (\S+ [KM]iB) in .*; \1 are still to be computed", train("first", "teacher.cache=shared")
    )
    written = packs(tmp_path / "shared")
    assert len(written) > 20
    assert not (tmp_path / "runs/first/teacher").exists()
    second = train("second", "teacher.cache=shared", "optim.encoder.lr=0.001")
    assert " 0 B are still to be computed" in second
    assert packs(tmp_path / "shared") == written
    (tmp_path / "shared").rename(tmp_path / "moved")
    assert "complete" in train("first", "teacher.cache=moved", "teacher.model.device=cpu")


def test_the_arms_of_the_distillation_experiment(small_genome, checkpoint, tmp_path, here):
    """`-m experiment=distillation` with values of its own: what is trained on, what is reported."""
    own = [line for line in arguments(small_genome, checkpoint) if not line.startswith("name=")]
    sweep = [own[0], "-m", "experiment=distillation", *own[1:], "seed=0", "teacher.targets=own,shuffled,none"]
    done = here(tmp_path, *sweep)
    assert done.returncode == 0, done.stderr
    runs = {
        yaml.safe_load((run / "config.yaml").read_text())["teacher"]["targets"]: run
        for run in runs_of(tmp_path / "runs" / "distillation")
    }
    assert set(runs) == {"own", "shuffled", "none"}
    assert packs(tmp_path / "runs" / "teacher_features")
    for arm, run in runs.items():
        with (run / "metrics.csv").open() as file:
            logged = {(row["stage"], row["name"]) for row in csv.DictReader(file)}
        assert (("encoder", "distillation") in logged) == (arm != "none")
        assert metrics(run)["data"]["teacher"]["targets"] == arm
        assert {"kd_explained", "teacher_probe_r2", "masked_translation_accuracy"} <= set(
            metrics(run)["heldout"]
        )
        assert "Teacher in the hidden states" in (run / "report.html").read_text()
    figures = {arm: metrics(run)["heldout"] for arm, run in runs.items()}
    assert len({figures[arm]["kd_explained"]["value"] for arm in figures}) == 3
    assert len({figures[arm]["teacher_probe_r2"]["n"] for arm in figures}) == 1


def test_the_experiment_names_its_arms_and_seeds(tmp_path, here):
    done = here(tmp_path, "train", "experiment=distillation", "--cfg", "hydra")
    assert done.returncode == 0, done.stderr
    params = yaml.safe_load(done.stdout)["hydra"]["sweeper"]["params"]
    assert params == {"teacher.targets": "own,shuffled,none", "seed": "0,1,2"}
