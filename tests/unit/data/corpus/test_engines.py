"""One corpus, whatever runs its tasks and however often it is killed."""

import os
import random
import signal
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import pytest

from lifecode.app.main import main
from lifecode.data import BlockSplit, prepare_corpus
from lifecode.data.corpus.engine import LocalEngine
from lifecode.data.corpus.ray_engine import RayEngine
from lifecode.errors import UserError
from tests.support.repository import ROOT
from tests.support.small_genome import write_small_genome

SPLIT = BlockSplit(block_nucleotides=6000)
PREPARE = """
    import sys
    from lifecode.data import BlockSplit, prepare_corpus
    from lifecode.data.corpus.engine import LocalEngine
    from lifecode.data.corpus import layout
    layout._SHARD_NUCLEOTIDES = {shard}
    split = BlockSplit(block_nucleotides=6000)

    def tell_and_wait(*_):
        print(flush=True)
        sys.stdin.readline()

    prepare_corpus(
        sys.argv[2:],
        sys.argv[1],
        split=split,
        engine=LocalEngine({workers}),
        progress=tell_and_wait,
    )
"""


@pytest.fixture(scope="module")
def genomes(tmp_path_factory):
    """Five pieces of a genome under their own names, each a file."""
    folder = tmp_path_factory.mktemp("genomes")
    whole = write_small_genome(folder / "whole.gbk").read_text()
    for number in range(5):
        (folder / f"{number}.gbk").write_text(whole.replace("NC_000913.3", f"COPY_{number}.1"))
    (folder / "whole.gbk").unlink()
    return sorted(folder.iterdir())


@pytest.fixture(scope="module")
def expected(genomes, tmp_path_factory):
    """The files of the corpus of `genomes`, made in this process, in several shards."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("lifecode.data.corpus.layout._SHARD_NUCLEOTIDES", 70_000)
        output = tmp_path_factory.mktemp("expected") / "corpus"
        corpus = prepare_corpus(genomes, output, split=SPLIT, engine=LocalEngine(1))
    assert len(corpus.manifest["shards"]) > 8
    return files(corpus.folder)


@pytest.fixture
def small_shards(monkeypatch):
    monkeypatch.setattr("lifecode.data.corpus.layout._SHARD_NUCLEOTIDES", 70_000)


def files(folder):
    return {path.relative_to(folder): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.mark.parametrize("workers", [2, 3])
def test_the_number_of_workers_changes_no_byte(genomes, expected, tmp_path, small_shards, workers):
    told = []
    corpus = prepare_corpus(
        genomes,
        tmp_path / "corpus",
        split=SPLIT,
        engine=LocalEngine(workers),
        progress=lambda *p: told.append(p),
    )
    assert files(corpus.folder) == expected
    size = sum(genome.stat().st_size for genome in genomes)
    reads = [(done, total) for what, done, total in told if what == "reading"]
    assert len(reads) == 5
    assert reads[-1] == (size, size)
    assert told[-1][1] == told[-1][2]


@pytest.mark.slow
def test_ray_changes_no_byte(genomes, expected, tmp_path, small_shards):
    corpus = prepare_corpus(genomes, tmp_path / "corpus", split=SPLIT, engine=RayEngine(workers=2))
    assert files(corpus.folder) == expected


@pytest.mark.slow
def test_ray_hands_on_the_error_of_a_task(genomes, tmp_path):
    (tmp_path / "bad.gbk").write_text("LOCUS what\n")
    with pytest.raises(UserError, match=r"bad\.gbk, record 1: not a readable GenBank record"):
        prepare_corpus([*genomes, tmp_path / "bad.gbk"], tmp_path / "corpus", engine=RayEngine(workers=2))


def test_ray_that_is_not_installed_is_named(monkeypatch, tmp_path, capsys):
    monkeypatch.setitem(sys.modules, "ray", None)
    assert main(["prepare", f"output={tmp_path / 'corpus'}", "engine=ray"]) == 2
    assert "engine=ray needs Ray. pip install 'lifecode[ray]'" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


def test_workers_of_the_command_line(capsys):
    assert main(["prepare", "engine.workers=0"]) == 2
    assert "engine.workers: 0 workers do nothing" in capsys.readouterr().err


def test_the_error_of_a_worker_arrives_as_it_was(genomes, tmp_path):
    (tmp_path / "bad.gbk").write_text("LOCUS what\n")
    inputs = [*genomes, tmp_path / "bad.gbk"]
    with pytest.raises(UserError) as caught:
        prepare_corpus(inputs, tmp_path / "corpus", engine=LocalEngine(2))
    assert (caught.value.source, caught.value.record) == (str(tmp_path / "bad.gbk"), 1)
    assert "not a readable GenBank record" in caught.value.problem


def end(_):
    os._exit(3)


def test_a_worker_that_dies_is_no_hang():
    with (
        pytest.raises(UserError, match="a worker process ended before its task"),
        LocalEngine(2).started(9) as run,
    ):
        list(run(end, range(9)))


def wait_or_write(folder):
    """Says who it is, then waits longer than any test."""
    (Path(folder) / str(os.getpid())).touch()
    time.sleep(600)


def alive(process):
    try:
        return Path(f"/proc/{process}/stat").read_text().split(")")[1].split()[0] != "Z"
    except FileNotFoundError:
        return False


def test_workers_end_with_the_main_process(tmp_path):
    script = f"""
        from lifecode.data.corpus.engine import LocalEngine
        from tests.unit.data.corpus.test_engines import wait_or_write
        with LocalEngine(2).started(2) as run:
            list(run(wait_or_write, [{str(tmp_path)!r}] * 2))
    """
    process = subprocess.Popen([sys.executable, "-c", textwrap.dedent(script)], cwd=ROOT)
    while len(list(tmp_path.iterdir())) < 2:
        assert process.poll() is None
        time.sleep(0.05)
    workers = [int(path.name) for path in tmp_path.iterdir()]
    process.send_signal(signal.SIGKILL)
    process.wait()
    for _ in range(100):
        if not any(map(alive, workers)):
            return
        time.sleep(0.05)
    pytest.fail(f"{workers} outlived the main process")


def start(genomes, output, workers, stdin=subprocess.DEVNULL):
    """A process that prepares the corpus; after every task it prints a line and reads one."""
    code = textwrap.dedent(PREPARE.format(shard=70_000, workers=workers))
    return subprocess.Popen(
        [sys.executable, "-c", code, str(output), *map(str, genomes)],
        cwd=ROOT,
        stdin=stdin,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    )


def killed_until_done(genomes, output, workers, tasks):
    """For each number start again, kill inside the task after so many; then let it finish.

    However slow the kill is to arrive, a process waits for leave before it goes beyond that task.

    Gives the units and the shards that were complete after each kill.
    """
    moments, left = random.Random(workers), []
    partial = output.with_name(f".{output.name}.partial")
    for number in tasks:
        process = start(genomes, output, workers, stdin=subprocess.PIPE)
        for _ in range(number):
            process.stdout.readline()
            process.stdin.write(b"\n")
            process.stdin.flush()
        time.sleep(moments.uniform(0, 0.01))
        process.kill()
        process.wait()
        process.stdin.close()
        process.stdout.close()
        left.append(
            (len(list(partial.glob("units/[!.]*/unit.json"))), len(list(partial.glob("*/written/*.json"))))
        )
    assert start(genomes, output, workers).wait() == 0
    return left


def assert_unharmed(output, expected):
    assert files(output) == expected
    assert [path.name for path in output.parent.iterdir()] == ["corpus"]


def assert_killed_in_both_parts(left):
    """For one worker alone, which waits for leave at each task; of two one goes on while the other waits."""
    assert any(0 < units < 5 for units, _ in left)  # while reading
    assert any(units == 5 and shards for units, shards in left)  # while writing


def test_killed_at_random_moments_it_ends_the_same(genomes, expected, tmp_path):
    output = tmp_path / "corpus"
    left = killed_until_done(genomes, output, 1, tasks=[1, 3, 6, 9])
    assert_unharmed(output, expected)
    assert_killed_in_both_parts(left)


@pytest.mark.slow
@pytest.mark.parametrize("workers", [1, 2])
def test_killed_often_it_ends_the_same(genomes, expected, tmp_path, workers):
    output = tmp_path / "corpus"
    left = killed_until_done(genomes, output, workers, tasks=range(1, 14))
    assert_unharmed(output, expected)
    if workers == 1:
        assert_killed_in_both_parts(left)


def test_what_was_finished_is_not_done_again(genomes, expected, tmp_path, small_shards, monkeypatch):
    import lifecode.data.corpus.shard_task as shard_task
    import lifecode.data.corpus.unit_folder as unit_folder

    calls = {"read": 0, "write": 0}
    read, write = unit_folder.read_unit, shard_task.parquet_writer

    def reading(unit, settings, report):
        calls["read"] += 1
        if calls["read"] == 4:
            raise KeyboardInterrupt
        return read(unit, settings, report)

    def writing(*arguments):
        calls["write"] += 1
        if calls["write"] == 6:
            raise KeyboardInterrupt
        return write(*arguments)

    monkeypatch.setattr(unit_folder, "read_unit", reading)
    monkeypatch.setattr(shard_task, "parquet_writer", writing)
    for expected_calls in ({"read": 4, "write": 0}, {"read": 6, "write": 6}):
        with pytest.raises(KeyboardInterrupt):
            prepare_corpus(genomes, tmp_path / "corpus", split=SPLIT, engine=LocalEngine(1))
        assert calls == expected_calls
    corpus = prepare_corpus(genomes, tmp_path / "corpus", split=SPLIT, engine=LocalEngine(1))
    assert calls == {"read": 6, "write": len(corpus.manifest["shards"]) + 1}  # one of each was cut off
    assert files(corpus.folder) == expected


def test_two_processes_make_one_corpus(genomes, expected, tmp_path):
    both = [start(genomes, tmp_path / "corpus", 1) for _ in range(2)]
    assert [process.wait() for process in both] == [0, 0]
    assert files(tmp_path / "corpus") == expected
    assert [path.name for path in tmp_path.iterdir()] == ["corpus"]
