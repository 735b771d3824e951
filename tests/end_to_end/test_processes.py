"""Two processes over gloo: the gradients and the run of one, and how they end together."""

import csv
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import torch

from lifecode import LifeCode
from lifecode.evaluation.metrics import OF_THE_MACHINE
from tests.support.repository import ROOT
from tests.support.small_run import COMMAND, SMALL, runs_of

CUT = ["data.batch.rows=4", "data.batch.rows_at_once=1", "objective.task_gradients_every_steps=2"]
TWO = ["trainer.devices=2", "trainer.accelerator=cpu"]
TORCHRUN = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node=2"]
pytestmark = pytest.mark.slow


def environment() -> dict[str, str]:
    path = os.pathsep.join(filter(None, [str(ROOT), os.environ.get("PYTHONPATH")]))
    return {**os.environ, "OMP_NUM_THREADS": "1", "PYTHONPATH": path}


def arguments(genome: Path, run: Path, *more: str) -> list[str]:
    return ["train", f"input={genome}", f"run_dir={run}", *SMALL, *CUT, *more]


def train(genome: Path, run: Path, *more: str, command=COMMAND) -> subprocess.CompletedProcess:
    line = [*command, *arguments(genome, run, *more)]
    return subprocess.run(line, capture_output=True, text=True, env=environment(), check=False)


def figures(run: Path) -> dict[tuple, float]:
    with (run / "metrics.csv").open() as file:
        rows = [tuple(row.values()) for row in csv.DictReader(file)]
    assert len({row[:4] for row in rows}) == len(rows)  # written by one process, once
    return {row[:4]: float(row[4]) for row in rows if row[3] not in OF_THE_MACHINE}


def same(run: Path, other: Path, splits=("train", "validation")) -> None:
    ours, theirs = ({k: v for k, v in figures(x).items() if k[2] in splits} for x in (run, other))
    assert ours == pytest.approx(theirs, rel=1e-5, abs=1e-7)
    names = {name for _, stage, split, name in ours if (stage, split) == ("encoder", "train")}
    assert {"weight_mlm", "weight_distillation", "gradient_norm_translation", "distillation"} <= names


@pytest.fixture(scope="module")
def alone(small_genome, tmp_path_factory) -> Path:
    """The run of one process."""
    run = tmp_path_factory.mktemp("alone") / "run"
    result = train(small_genome, run)
    assert result.returncode == 0, result.stdout + result.stderr
    return run


def test_gradients_of_two_processes_are_those_of_one(small_corpus, tmp_path):
    """Every objective, both stages, DDP and FSDP2; also where a process lacks a task altogether."""
    program = ["tests.programs.gradients_of_processes", str(small_corpus.folder)]
    lines = {"auto": [sys.executable, "-m"], "ddp": [*TORCHRUN, "-m"], "fsdp": [*TORCHRUN, "-m"]}
    saved = {}
    for strategy, start in lines.items():
        output = tmp_path / f"{strategy}.pt"
        line = [*start, *program, str(output), strategy]
        result = subprocess.run(
            line, cwd=ROOT, capture_output=True, text=True, env=environment(), check=False
        )
        assert result.returncode == 0, result.stderr[-4000:]
        saved[strategy] = torch.load(output, weights_only=True)
    expected = saved.pop("auto")
    assert len(expected) > 400
    for gradients in saved.values():
        assert gradients.keys() == expected.keys()
        for name, gradient in gradients.items():
            torch.testing.assert_close(gradient, expected[name], atol=1e-5, rtol=1e-5, msg=name)


def test_two_processes_of_torchrun_train_as_one(small_genome, alone, tmp_path):
    several = [*TWO, "trainer.strategy=ddp"]
    result = train(small_genome, tmp_path / "run", *several, command=[*TORCHRUN, "-m", "lifecode"])
    assert result.returncode == 0, result.stdout + result.stderr
    assert result.stdout.count("The model is in") == 1
    same(tmp_path / "run", alone)


def test_processes_find_each_other_as_srun_starts_them(small_genome, alone, tmp_path):
    """The environment that srun gives to two tasks on one machine."""
    run = tmp_path / "run"
    line = [*COMMAND, *arguments(small_genome, run, *TWO, "stage=tokenizer")]
    slurm = {"SLURM_NTASKS": "2", "SLURM_NTASKS_PER_NODE": "2", "SLURM_NNODES": "1", "SLURM_NODEID": "0"}
    slurm |= {"SLURM_JOB_ID": str(os.getpid()), "SLURM_NODELIST": "127.0.0.1", "SLURM_JOB_NAME": "train"}
    tasks = [
        subprocess.Popen(line, env={**environment(), **slurm, "SLURM_PROCID": rank, "SLURM_LOCALID": rank})
        for rank in ("0", "1")
    ]
    assert [task.wait() for task in tasks] == [0, 0]
    theirs = {key: value for key, value in figures(alone).items() if key[1] == "tokenizer"}
    assert figures(run) == pytest.approx(theirs, rel=1e-5, abs=1e-7)


def test_a_run_moves_between_sharded_processes_and_one(small_genome, alone, tmp_path):
    run, sharded = tmp_path / "run", [*TWO, "trainer.strategy=fsdp"]
    for more in ([*sharded, "trainer.max_steps=4"], ["trainer.max_steps=6"], sharded):
        result = train(small_genome, run, *more)
        assert result.returncode == 0, result.stdout + result.stderr
    assert "encoder: going on from step 6" in result.stdout
    same(run, alone)
    ours, theirs = (LifeCode.from_pretrained(x / "model").state_dict() for x in (run, alone))
    for name, value in theirs.items():
        torch.testing.assert_close(ours[name], value, atol=2e-5, rtol=1e-4)


def test_muon_moves_between_sharded_processes_and_one(small_genome, tmp_path):
    muon = ["optim.tokenizer.matrices=muon", "optim.encoder.matrices=muon"]
    sharded = [*TWO, "trainer.strategy=fsdp"]
    for run, *sittings in (("one", []), ("several", [*sharded, "trainer.max_steps=4"], [])):
        for more in sittings:
            result = train(small_genome, tmp_path / run, *muon, *more)
            assert result.returncode == 0, result.stdout + result.stderr
    ours, theirs = (
        {key: value for key, value in figures(tmp_path / run).items() if key[2] in ("train", "validation")}
        for run in ("several", "one")
    )
    assert ours == pytest.approx(theirs, rel=1e-4, abs=1e-7)  # Muon iterates in bf16


@pytest.mark.parametrize("strategy", ["ddp", "fsdp"])
def test_bf16(small_genome, alone, tmp_path, strategy):
    mixed = [*TWO, f"trainer.strategy={strategy}", "trainer.precision=bf16-mixed"]
    result = train(small_genome, tmp_path / "run", *mixed)
    assert result.returncode == 0, result.stdout + result.stderr
    ours, theirs = figures(tmp_path / "run"), figures(alone)
    kept = [key for key in theirs if key[3] in ("mlm", "translation", "distillation")]
    assert [ours[key] for key in kept] == pytest.approx([theirs[key] for key in kept], rel=2e-2)
    assert [ours[key] for key in kept] != [theirs[key] for key in kept]


def test_an_error_of_the_first_process_ends_all_with_one_line(small_genome, alone, tmp_path):
    for run, change, named in ((alone, "seed=3", "seed"), (tmp_path / "run", "data.batch.rows=3", "rows")):
        result = train(small_genome, run, *TWO, change)
        assert result.returncode == 2
        (line,) = result.stderr.strip().splitlines()
        assert named in line


def test_sigterm_saves_on_all_processes_and_the_same_command_goes_on(small_genome, alone, tmp_path):
    run = tmp_path / "run"
    process = subprocess.Popen(
        [*COMMAND, *arguments(small_genome, run, *TWO)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=environment(),
    )
    while process.poll() is None and not re.search(r"^0,encoder,", text(run / "metrics.csv"), re.M):
        time.sleep(0.01)
    process.send_signal(signal.SIGTERM)
    stdout, stderr = process.communicate()
    if process.returncode == 0:
        pytest.skip("it was done before the signal came")
    assert process.returncode == 130, stdout + stderr
    assert stderr.count("lifecode train: stopped after step") == 1
    result = train(small_genome, run, *TWO)
    assert result.returncode == 0, result.stdout + result.stderr
    same(run, alone, splits=("train",))  # a step that stops is not validated


def text(path: Path) -> str:
    return path.read_text() if path.exists() else ""


def test_submitit_runs_the_jobs_of_a_sweep(small_genome, tmp_path):
    """With its local executor, each job in a process of its own; a job in two processes may fail alone."""
    swept = ["-m", "hydra/launcher=submitit_local", f"hydra.launcher.submitit_folder={tmp_path}/logs"]
    short = ["stage=tokenizer", "trainer.max_steps=2", *TWO, "data.batch.rows=3,4"]
    result = train(small_genome, tmp_path / "runs", *swept, *short)
    assert result.returncode == 2, result.stdout + result.stderr
    assert (
        result.stderr.strip().splitlines()[-1]
        == "lifecode train: data.batch.rows=3: a run ended with exit code 2; its log says why"
    )
    assert [run.name for run in runs_of(tmp_path / "runs")] == ["data.batch.rows=4"]
    assert (tmp_path / "runs" / "data.batch.rows=4" / "tokenizer" / "model" / "model.safetensors").exists()
    assert "3 rows cannot be shared" in "".join(
        path.read_text() for path in (tmp_path / "logs").glob("*.err")
    )
