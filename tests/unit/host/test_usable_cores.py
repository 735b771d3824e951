"""Cores that this process may use: by affinity, and by the quota of a container."""

import io
import os

import pytest
from joblib.externals.loky.backend import context

from lifecode.host.usable_cores import usable_cores


@pytest.mark.parametrize(("quota", "cores"), [("50000 100000", 1), ("250000 100000", 3), ("max 100000", 8)])
def test_the_quota_of_a_container_counts(monkeypatch, quota, cores):
    monkeypatch.setattr(os, "cpu_count", lambda: 8)
    monkeypatch.setattr(os, "sched_getaffinity", lambda process: set(range(8)), raising=False)
    monkeypatch.setattr(os.path, "exists", lambda path: path == "/sys/fs/cgroup/cpu.max")
    monkeypatch.setattr(context, "open", lambda path: io.StringIO(quota), raising=False)
    assert usable_cores() == cores


def test_affinity_counts(monkeypatch):
    monkeypatch.setattr(os, "cpu_count", lambda: 8)
    monkeypatch.setattr(os, "sched_getaffinity", lambda process: {3, 5}, raising=False)
    assert usable_cores() <= 2
