"""Preparing one genome and many copies of it: wall time, and the memory of all processes together.

Every copy has contig names of its own and else the same content. Each call runs `prepare_corpus` in a new
process, which may start workers, as a daemon such as `FreshProcess` may not; the clock begins behind its
imports. Memory is sampled from outside, a hundred times a second.
"""

import gzip
import multiprocessing
import re
import shutil
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from lifecode.benchmarks.fresh_process import ContenderFailed, Reading, failure_reason
from lifecode.benchmarks.preparing_process import prepare_and_answer
from lifecode.benchmarks.process_tree import tree_bytes
from lifecode.data.opening import opened
from lifecode.data.safe_path import safe_children

PART = "prepare"
MANY_FILES, ONE_FILE = "many files", "one file"

_SAMPLE_SECONDS = 0.01
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
        self.genome, self.folder, self.layout, self.workers = genome, folder, layout, workers
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

    def measure(self, part: str, *, with_memory: bool = False) -> Reading:
        """Prepares the copies once.

        Raises:
            ContenderFailed: the preparation raised, or its process is gone.
        """
        output = self.folder / f"corpus of {self.layout}"
        shutil.rmtree(output, ignore_errors=True)
        context = multiprocessing.get_context("spawn")
        connection, theirs = context.Pipe()
        process = context.Process(target=prepare_and_answer, args=(theirs, self.files, output, self.workers))
        with safe_children():
            process.start()
        theirs.close()
        try:
            _answer(connection)
            before = peak = tree_bytes(process.pid or 0)
            while not connection.poll(_SAMPLE_SECONDS):
                if peak is not None:
                    peak = max(peak, tree_bytes(process.pid or 0) or 0)
            seconds = _answer(connection)
        finally:
            process.kill()
            process.join()
            connection.close()
        return Reading(seconds, None if peak is None or before is None else peak - before, peak)

    def release(self) -> None:
        """Nothing is kept between calls."""


def _answer(connection: Connection) -> float:
    """What the preparing process says next."""
    try:
        answer = connection.recv()
    except (EOFError, OSError) as error:
        raise ContenderFailed("the process that prepares ended") from error
    if isinstance(answer, Exception):
        raise ContenderFailed(failure_reason(answer)) from answer
    return answer
