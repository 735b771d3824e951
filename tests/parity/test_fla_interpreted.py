"""The kernels of the CUDA backends, without a GPU: `tests/interpreted` under Triton's interpreter.

Triton decides to interpret when it is imported, for a whole process, so each file gets a process of its own.
"""

import os
import subprocess
import sys
from importlib.util import find_spec

import pytest

from tests.support.repository import ROOT

pytestmark = pytest.mark.slow

FILES = sorted((ROOT / "tests" / "interpreted").glob("test_*.py"))


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_passes_under_the_interpreter(file):
    missing = [name for name in ("triton", "fla") if find_spec(name) is None]
    if missing:
        give_up = pytest.fail if os.environ.get("LIFECODE_REQUIRE_SHARED") == "1" else pytest.skip
        give_up(
            f"{' and '.join(missing)} cannot be imported; on Linux x86_64, where Triton exists, "
            "`pip install 'lifecode[dev]'` brings them"
        )
    run = subprocess.run(
        [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", str(file)],
        env=os.environ | {"TRITON_INTERPRET": "1"},
        cwd=ROOT,
        capture_output=True,
        text=True,
    )
    assert run.returncode == 0, run.stdout + run.stderr


def test_an_ordinary_run_collects_none_of_them():
    assert FILES
    run = subprocess.run(
        [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "--collect-only", "tests/interpreted"],
        env={name: value for name, value in os.environ.items() if name != "TRITON_INTERPRET"},
        cwd=ROOT,
        capture_output=True,
        text=True,
    )
    assert run.returncode == pytest.ExitCode.NO_TESTS_COLLECTED, run.stdout + run.stderr
