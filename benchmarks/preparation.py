"""Preparing one genome and many copies of it: wall time, and the memory of all processes together.

Every copy has contig names of its own and else the same content. Each call runs `prepare_corpus` in a new
process, which may start workers, as a daemon such as `FreshProcess` may not; the clock begins behind its
imports. Memory is sampled from outside, twenty times a second.
"""

import gzip
import re
import shutil
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

import psutil

from benchmarks.measuring.fresh_process import ContenderFailed, Measured
from lifecode.data.formats.opening import opened

MANY_FILES, ONE_FILE = "many files", "one file"

_SAMPLE_SECONDS = 0.05
_ROOT = Path(__file__).resolve().parents[1]
_NAMES = re.compile(rb"^(ACCESSION|VERSION)( +)(?=\S)", re.MULTILINE)


def write_copies(genome: Path, copies: int, folder: Path) -> list[Path]:
    """Writes copies of a GenBank file with contigs named anew, gzipped; those that exist are kept."""
    folder.mkdir(parents=True, exist_ok=True)
    files = [folder / f"copy{number:05d}.gbff.gz" for number in range(copies)]
    missing = [(number, file) for number, file in enumerate(files) if not file.exists()]
    if missing:
        with opened(genome) as handle:
            text = handle.read()
        for number, file in missing:
            renamed = _NAMES.sub(rb"\1\2COPY%d_" % number, text)
            file.write_bytes(gzip.compress(renamed, compresslevel=1))
    return files


class Preparation:
    """Stands where a `FreshProcess` does, for measuring in rounds.

    Args:
        genome: GenBank file.
        folder: for copies and corpora.
        layout: `many files`, one a copy, or `one file` of all copies.
        workers: processes of the engine.
    """

    def __init__(self, genome: Path, folder: Path, layout: str, workers: int) -> None:
        self.genome, self.layout, self.workers = genome, layout, workers
        self.folder = folder.resolve()  # the process that prepares runs in another folder
        self.files: list[Path] = []

    def call(self, method: str, *arguments: Any) -> Any:
        """What a method returns."""
        return getattr(self, method)(*arguments)

    def prepare(self, length: int) -> dict[str, float]:
        """Writes `length` copies; returns the bytes of the files, compressed."""
        self.files = write_copies(self.genome, length, self.folder)
        if self.layout == ONE_FILE:
            together = self.folder / f"all{length:05d}.gbff.gz"
            together.write_bytes(b"".join(file.read_bytes() for file in self.files))
            self.files = [together]
        return {"input_bytes": sum(file.stat().st_size for file in self.files)}

    def measure(self, part: str, *, with_memory: bool = False) -> Measured:
        """Prepares the copies once.

        Raises:
            ContenderFailed: the preparation raised, or its process is gone.
        """
        output = self.folder / f"corpus of {self.layout}"
        shutil.rmtree(output, ignore_errors=True)
        command = [
            sys.executable,
            "-m",
            "benchmarks.preparing_process",
            output,
            str(self.workers),
            *self.files,
        ]
        with subprocess.Popen(command, cwd=_ROOT, stdout=subprocess.PIPE, text=True) as process:
            try:
                said = _line(process)
                before = peak = tree_bytes(process.pid)
                while process.poll() is None:
                    peak = max(peak, tree_bytes(process.pid))
                    time.sleep(_SAMPLE_SECONDS)
                said = said and _line(process)
            finally:
                process.kill()
        if not said.startswith("seconds "):
            raise ContenderFailed(said or "the process that prepares ended")
        return Measured(float(said.removeprefix("seconds ")), peak - before, peak)

    def release(self) -> None:
        """Nothing is kept between calls."""


def tree_bytes(process: int) -> int:
    """Resident memory of a process and of all below it, seen from outside; 0 once it has ended.

    Pages that two processes share count twice: the sum is an upper bound.
    """
    with suppress(psutil.Error):
        root, total = psutil.Process(process), 0
        for one in (root, *root.children(recursive=True)):
            with suppress(psutil.Error):
                total += one.memory_info().rss
        return total
    return 0


def _line(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    return process.stdout.readline().strip()
