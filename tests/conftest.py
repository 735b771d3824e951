"""Fixtures of all tests."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from hypothesis import settings

from lifecode.data import BlockSplit, Corpus, prepare_corpus
from tests.small_genome import write_small_genome

# Timings never decide a test.
settings.register_profile("lifecode", deadline=None)
settings.load_profile("lifecode")

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


@pytest.fixture(scope="session")
def small_genome(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The first 60,000 nucleotides of E. coli as a GenBank file."""
    return write_small_genome(tmp_path_factory.mktemp("genome") / "small.gbk")


@pytest.fixture(scope="session")
def small_corpus(small_genome: Path, tmp_path_factory: pytest.TempPathFactory) -> Corpus:
    """The small genome prepared with blocks of 6,000 nucleotides, a tenth and a fifth of them held out."""
    split = BlockSplit(block_nucleotides=6000, validation=0.1, test=0.2)
    return prepare_corpus(str(small_genome), tmp_path_factory.mktemp("corpus") / "corpus", split=split)


@pytest.fixture(scope="session", autouse=True)
def poisoned_memory() -> None:
    """Fill uninitialised tensors with NaN, so that a kernel that reads what it never wrote fails a test."""
    torch.use_deterministic_algorithms(True, warn_only=True)
    torch.utils.deterministic.fill_uninitialized_memory = True
