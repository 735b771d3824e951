"""Freed memory stays with the process once it is told so; checked in a process of its own."""

import subprocess
import sys

import pytest

from lifecode.ops.cpu.heap import keep_freed_memory

FAULTS = """
import resource, sys
import torch
from lifecode.ops.cpu.heap import keep_freed_memory
if sys.argv[1] == "keep":
    assert keep_freed_memory()
for _ in range(3):
    torch.ones(2**25)  # 128 MB
before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
for _ in range(3):
    torch.ones(2**25)
print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
"""


def page_faults(choice: str) -> int:
    run = subprocess.run(
        [sys.executable, "-c", FAULTS, choice], capture_output=True, text=True, check=True, timeout=600
    )
    return int(run.stdout)


@pytest.mark.skipif(sys.platform != "linux", reason="the heap of glibc, on Linux")
def test_a_large_tensor_is_not_taken_from_the_system_twice():
    kept, default = page_faults("keep"), page_faults("default")
    assert default > 90_000  # three times 128 MB, a page of 4 kB each
    assert kept < default / 2  # none, or those of one where something small lay in the way


def test_another_c_library_is_left_alone(monkeypatch):
    monkeypatch.setattr("platform.libc_ver", lambda: ("", ""))
    assert keep_freed_memory() is False
