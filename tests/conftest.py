"""Fixtures of all tests."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest
import torch

SHARED = Path(os.environ.get("LIFECODE_SHARED", Path(__file__).parents[1].parent / "shared")) / "data"


@pytest.fixture(scope="session")
def shared_data() -> Callable[[str], Path]:
    """Path of a file of the shared data; a missing one skips, or fails under LIFECODE_REQUIRE_SHARED=1."""

    def path_of(name: str) -> Path:
        path = SHARED / name
        if not path.exists():
            missing = pytest.fail if os.environ.get("LIFECODE_REQUIRE_SHARED") == "1" else pytest.skip
            missing(f"{path} is absent (set LIFECODE_SHARED to the folder that holds data/)")
        return path

    return path_of


@pytest.fixture(scope="session", autouse=True)
def poisoned_memory() -> None:
    """Fill uninitialised tensors with NaN, so that a kernel that reads what it never wrote fails a test."""
    torch.use_deterministic_algorithms(True, warn_only=True)
    torch.utils.deterministic.fill_uninitialized_memory = True
