"""Commands in a folder that someone else has filled: none of its modules and settings is heeded."""

import os
import subprocess
import sys

import pytest

from tests.support.repository import ROOT
from tests.support.small_run import SMALL

MODULES = [
    "pickle",
    "selectors",
    "json",
    "torch",
    "numpy",
    "lifecode",
    "sitecustomize",
    "usercustomize",
    "random",
    "multiprocessing",
    "ctypes",
    "signal",
    "typing",
    "pkgutil",
    "yaml",
    "hydra_plugins",
    "joblib",
    "pyarrow",
    "numba",
    "wandb",
    "site",
    "socket",
    "threading",
    "subprocess",
    "tempfile",
    "logging",
    "cloudpickle",
    "runpy",
    "tests",
]
POISON = "import pathlib; pathlib.Path({canary!r}).open('a').write(__name__ + ' '); raise SystemExit(9)\n"

SCRIPT = """
import sys
from lifecode.app.main import main
if __name__ == '__main__':
    sys.exit(main())
"""


@pytest.fixture
def poisoned(tmp_path):
    """Runs the command in a folder of data that has a module for every name a program may import."""
    data, canary = tmp_path / "data", tmp_path / "ran"
    data.mkdir()
    for name in MODULES:
        (data / f"{name}.py").write_text(POISON.format(canary=str(canary)))
    (data / ".numba_config.yaml").write_text("cache_dir: planted\n")
    (data / "matplotlibrc").write_text("text.usetex: true\n")
    script = tmp_path / "bin" / "lifecode"  # as pip writes it
    script.parent.mkdir()
    script.write_text(SCRIPT)

    def run(*arguments: str, start=(str(script),)) -> None:
        environment = {**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}
        environment.pop("PYTHONSAFEPATH", None)
        line = [sys.executable, *start, *arguments]
        done = subprocess.run(line, cwd=data, env=environment, capture_output=True, text=True, check=False)
        assert not canary.exists(), canary.read_text()
        assert done.returncode == 0, done.stdout + done.stderr
        assert not (data / "planted").exists()

    return run


@pytest.mark.slow
def test_workers_of_prepare_import_nothing_from_the_current_folder(poisoned, small_genome, tmp_path):
    other = tmp_path / "other.gbk"
    other.write_text(small_genome.read_text().replace("NC_000913.3", "COPY.1"))
    poisoned("prepare", f"input=[{small_genome},{other}]", "output=corpus", "engine.workers=2")


@pytest.mark.slow
def test_every_process_of_a_training_imports_nothing_from_the_current_folder(poisoned, small_genome):
    """Two devices, loader workers, W&B and the report; then a sweep in joblib's processes."""
    train = ["train", f"input={small_genome}", *SMALL, "trainer.accelerator=cpu"]
    poisoned(*train, "trainer.devices=2", "trainer.num_workers=1", "data.batch.rows=4", "logger=wandb")
    side_by_side = ["hydra/launcher=joblib", "hydra.launcher.n_jobs=2"]
    poisoned("info", "-m", "model=tiny,mini", *side_by_side)


@pytest.mark.slow
def test_workers_of_ray_import_nothing_from_the_current_folder(poisoned, small_genome):
    poisoned("prepare", f"input={small_genome}", "output=corpus", "engine=ray", "engine.workers=1")
