"""The kernels that are compiled for the CPU: the same bits whoever compiled them."""

import os
import pickle
import subprocess
import sys
from pathlib import Path

import numba
import pytest

from lifecode.ops.cpu.compiled import compiled_entry
from tests.support.repository import ROOT


@pytest.mark.slow
def test_a_process_that_compiles_the_kernels_gets_the_bits_of_one_that_loads_them(tmp_path):
    """Of two processes that begin a run and go on with it, the first may have compiled."""
    compiling = _digests(tmp_path)
    assert list(tmp_path.rglob("*.nbc"))
    loading = _digests(tmp_path, *reversed(compiling))
    assert len(compiling) == 8
    assert loading == compiling


def test_an_index_of_other_sources_is_not_unpickled(tmp_path):
    """It may name types that have moved since, which unpickling would look for where they were."""
    index, path = compiled_entry(_digests)._cache._cache_file, tmp_path / "kernel.nbi"
    index._index_path = str(path)
    path.write_bytes(pickle.dumps(numba.__version__) + b"no pickle")
    assert index._load_index() == {}
    index._save_index({"signature": "file"})
    assert index._load_index() == {"signature": "file"}


def _digests(cache: Path, *order: str) -> dict[str, str]:
    """Of the results of each kernel, in a process of its own, by name."""
    environment = {**os.environ, "NUMBA_CACHE_DIR": str(cache)}
    command = [sys.executable, "-m", "tests.programs.kernel_digests", *order]
    program = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    assert program.returncode == 0, program.stderr
    return dict(line.split(" ", 1) for line in program.stdout.splitlines())
