"""Fixtures of all tests."""

import logging
import os
import random
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import settings

from lifecode.data import BlockSplit, Corpus, prepare_corpus
from lifecode.data.corpus.segments import cache_folder
from tests.support.segment_tables import write_table
from tests.support.small_genome import write_small_genome

# Timings never decide a test, nor does chance; `make soak` looks further, with another seed every time.
settings.register_profile("lifecode", deadline=None, derandomize=True, database=None)
settings.register_profile("random", deadline=None, print_blob=True)
settings.load_profile(os.environ.get("LIFECODE_HYPOTHESIS", "lifecode"))

SHARED = Path(os.environ.get("LIFECODE_SHARED", Path(__file__).parents[1].parent / "shared")) / "data"


@pytest.fixture(autouse=True)
def same_random_numbers() -> None:
    """Every test draws the same numbers, whichever ran before it."""
    random.seed(0)
    np.random.seed(0)  # noqa: NPY002
    torch.manual_seed(0)


@pytest.fixture(autouse=True)
def loggers_as_they_were() -> Iterator[None]:
    """A command in the test's process leaves handlers behind, which write where that test's output went."""
    loggers = [logging.getLogger(name) for name in (None, "lifecode", "hydra")]
    before = [(logger.handlers[:], logger.level) for logger in loggers]
    yield
    for logger, (handlers, level) in zip(loggers, before, strict=True):
        logger.handlers, logger.level = handlers, level


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


@pytest.fixture(scope="session")
def rna_corpus(small_corpus: Corpus, tmp_path_factory: pytest.TempPathFactory) -> Corpus:
    """The small corpus with five transcripts beside it, the last too long for a row."""
    folder = tmp_path_factory.mktemp("rna") / "corpus"
    shutil.copytree(small_corpus.folder, folder)
    lengths = (100, 31, 240, 7, 1300)
    transcripts = [np.random.default_rng(i).integers(0, 4, n, dtype=np.uint8) for i, n in enumerate(lengths)]
    shutil.rmtree(cache_folder(folder, "rna", "train"))
    write_table(folder, "rna", transcripts)
    return Corpus(folder, small_corpus.manifest)


@pytest.fixture(scope="session", autouse=True)
def poisoned_memory() -> None:
    """Fill uninitialised tensors with NaN, so that a kernel that reads what it never wrote fails a test."""
    torch.use_deterministic_algorithms(True, warn_only=True)
    torch.utils.deterministic.fill_uninitialized_memory = True
