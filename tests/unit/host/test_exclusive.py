"""Several processes with one output: the second waits, and what is left is whole."""

import multiprocessing
import os
import sys
import time
from pathlib import Path

import pytest

from lifecode.app.main import main
from lifecode.data import Corpus
from lifecode.host.exclusive import exclusive
from tests.support.run_folders import make_sweep

CONTEXT = multiprocessing.get_context("fork")


def _worker(function, barrier, number, folder):
    os.chdir(folder)
    for descriptor, name in ((1, "out"), (2, "err")):
        os.dup2(os.open(f"{name}.{number}", os.O_WRONLY | os.O_CREAT | os.O_TRUNC), descriptor)
    sys.stdout, sys.stderr = os.fdopen(1, "w"), os.fdopen(2, "w")
    code = 70
    try:
        barrier.wait(600)
        code = function(number)
        sys.stdout.flush()
        sys.stderr.flush()
    finally:
        os._exit(code)


def together(function, folder: Path, number: int) -> list[tuple[int, str]]:
    """Exit code and stderr of as many processes that do something at the same moment."""
    barrier = CONTEXT.Barrier(number)
    workers = [CONTEXT.Process(target=_worker, args=(function, barrier, i, folder)) for i in range(number)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(120)
    return [
        (worker.exitcode, (folder / f"err.{i}").read_text(errors="replace"))
        for i, worker in enumerate(workers)
    ]


def test_one_at_a_time_whoever_removes_the_file(tmp_path):
    """Each appends a begin and an end: no two of 6 x 20 blocks overlap."""
    log = tmp_path / "log"

    def work(number):
        for _ in range(20):
            with exclusive(tmp_path / ".lock", "working"):
                for word in ("begin", "end"):
                    with log.open("a") as file:
                        file.write(f"{word} {number}\n")
                    time.sleep(0)
        return 0

    assert [code for code, _ in together(work, tmp_path, 6)] == [0] * 6
    lines = log.read_text().splitlines()
    assert len(lines) == 240
    for begin, end in zip(lines[::2], lines[1::2], strict=True):
        assert begin.split()[1] == end.split()[1]
    assert not (tmp_path / ".lock").exists()


def test_a_link_in_place_of_the_lock_is_not_followed(tmp_path):
    (tmp_path / "lock").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(OSError), exclusive(tmp_path / "lock", "working"):
        pass
    assert not (tmp_path / "elsewhere").exists()


@pytest.fixture
def genes(tmp_path):
    codons = ("GCT", "AAA", "GAT", "CTG")
    lines = [
        f">g{i}\nATG{''.join(codons[(i >> (2 * k)) & 3] for k in range(4)) * 20}TAA\n" for i in range(40)
    ]
    (tmp_path / "genes.fa").write_text("".join(lines))
    return "input=cds:genes.fa"


def test_concurrent_prepare_to_one_output(genes, tmp_path):
    arguments = ["prepare", genes, "output=corpus", "data/split=contigs", "engine.workers=1"]
    ends = together(lambda _: main(arguments), tmp_path, 4)
    assert [code for code, _ in ends] == [0] * 4, ends
    Corpus.open(tmp_path / "corpus").check_files()
    assert (tmp_path / "corpus/report.html").read_text().endswith("</html>")
    left = {path.name for path in tmp_path.iterdir()}
    assert left <= {"genes.fa", "corpus", *(f"{name}.{i}" for name in ("out", "err") for i in range(4))}
    for _, said in ends:
        waits = ("another process is preparing corpus", "another process is writing a report")
        assert all(any(wait in line for wait in waits) for line in said.splitlines())


def test_concurrent_prepare_of_different_corpora_names_the_key(genes, tmp_path):
    fixed = ["prepare", genes, "output=corpus", "data/split=contigs", "engine.workers=1"]
    ends = together(lambda number: main([*fixed, f"seed={number}"]), tmp_path, 3)
    assert sorted(code for code, _ in ends) == [0, 2, 2]
    for code, said in ends:
        assert code == 0 or "corpus: holds a corpus with seed" in said.splitlines()[-1]
    Corpus.open(tmp_path / "corpus").check_files()


def test_concurrent_reports_in_one_folder(tmp_path):
    make_sweep(tmp_path / "sweep")
    ends = together(lambda _: main(["report", "input=sweep"]), tmp_path, 3)
    assert [code for code, _ in ends] == [0] * 3, ends
    for _, said in ends:
        assert all("another process is writing a report" in line for line in said.splitlines())
    assert (tmp_path / "sweep/report.html").read_text().endswith("</html>")
    assert not [path.name for path in (tmp_path / "sweep").rglob(".*")]


def test_concurrent_dogma_makes_one_data_set_and_says_so(genes, tmp_path):
    arguments = ["dogma", genes, "output=pairs", "dataset=cds_pairs"]
    ends = together(lambda _: main(arguments), tmp_path, 3)
    assert sorted(code for code, _ in ends) == [0, 2, 2], ends
    for code, said in ends:
        assert code == 0 or said.splitlines()[-1].startswith("lifecode dogma: pairs: is there already.")
    assert not list(tmp_path.glob(".pairs*"))
