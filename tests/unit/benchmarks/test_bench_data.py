"""`make bench-data`: both readings, copies, the preparing process, figures by hand, and the command."""

import csv
import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from benchmarks import data
from benchmarks.data import DataBenchmark, LoaderCall, agreed_counts, genome_file
from benchmarks.genbank_reading import Counts, count_with_biopython, count_with_lifecode
from benchmarks.measuring.command import Results, main
from benchmarks.measuring.fresh_process import ContenderFailed, Measured
from benchmarks.measuring.machine import Machine
from benchmarks.measuring.measurement import Measurement
from benchmarks.preparation import Preparation, tree_bytes, write_copies
from lifecode.data import packaged_genomes, read_records
from lifecode.errors import UserError
from tests.support.repository import ROOT

MACHINE = Machine("cpu", 2, 1, 2**34, 0.1, "Linux x86_64", {}, "fp32", 100.0)
COMMAND = [sys.executable, "-m", "benchmarks.data"]
COUNTS = Counts(contigs=1, nucleotides=1_000_000, cds=12, pairs=10)


def benchmark(**changes):
    settings = {
        "input": "ecoli",
        "parts": ["read", "load", "prepare"],
        "max_codons": [4096],
        "loader_nucleotides": 2_000_000,
        "copies": [1, 20],
        "workers": 1,
        "repeats": 2,
        "output": Path("out"),
    }
    return DataBenchmark(**settings | changes)


@pytest.fixture
def small_file(shared_data):
    return shared_data("genomes/yersinia_plasmid_NC_005816.gb")


# Readings


def test_both_readings_find_the_pairs_of_ecoli():
    genome = packaged_genomes()["ecoli"]
    assert count_with_lifecode(genome) == Counts(1, 4_641_652, 4315, 4295)
    assert count_with_biopython(genome) == Counts(1, 4_641_652, 4315, 4295)


@pytest.mark.parametrize(
    ("name", "cds"), [("phiX174_NC_001422.gbk", 11), ("yersinia_plasmid_NC_005816.gb", 10)]
)
def test_both_readings_find_the_pairs_of_small_genomes(shared_data, name, cds):
    file = shared_data(f"genomes/{name}")
    assert count_with_lifecode(file) == count_with_biopython(file)
    assert count_with_biopython(file)[2:] == (cds, cds)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('/translation="M', '/translation="W'),
        ("/codon_start=1", "/codon_start=2"),
        ("CDS             complement(4815..5888)", "CDS             complement(<4815..5888)"),
        ("CDS             complement(4815..5888)", "CDS             complement(4816..5888)"),
    ],
)
def test_both_readings_reject_alike(small_file, tmp_path, old, new):
    text = small_file.read_text()
    assert old in text
    (tmp_path / "changed.gb").write_text(text.replace(old, new, 1))
    found = count_with_lifecode(tmp_path / "changed.gb")
    assert found == count_with_biopython(tmp_path / "changed.gb")
    assert found[2:] == (10, 9)


class Reader:
    """Stands for a reader's process."""

    def __init__(self, counts):
        self.counts = counts

    def call(self, method):
        assert method == "counts"
        if self.counts is None:
            raise ContenderFailed("ValueError: what")
        return self.counts


def test_readings_that_differ_are_not_timed(tmp_path):
    agreed = {"lifecode": Reader(COUNTS), "biopython": Reader(COUNTS)}
    assert agreed_counts(agreed, tmp_path / "g.gb") == COUNTS
    differ = agreed | {"biopython": Reader(COUNTS._replace(pairs=9))}
    with pytest.raises(UserError, match=r"g\.gb: the two readings differ.* finds 10 .* finds 9 exact"):
        agreed_counts(differ, tmp_path / "g.gb")
    with pytest.raises(UserError, match=r"g\.gb: biopython cannot read it: ValueError: what"):
        agreed_counts(agreed | {"biopython": Reader(None)}, tmp_path / "g.gb")


# The loader


def test_the_loader_delivers_what_it_says(small_genome, tmp_path):
    call = LoaderCall(small_genome, tmp_path / "corpus", num_nucleotides=30_000)
    facts = call.prepare(512)
    assert 0.8 < facts["filled"] <= 1
    taken = []
    steps = call.steps
    call.steps = (
        taken.append(sum(batch.num_nucleotides for batch in step.micro_batches)) or step for step in steps
    )
    call.run("load")
    assert sum(taken[:-1]) < 30_000 <= sum(taken)
    assert max(taken) <= 2 * 512 * 3


# Copies


def test_copies_differ_in_nothing_but_names(small_file, tmp_path):
    (original,) = read_records(small_file)
    files = write_copies(small_file, 3, tmp_path / "copies")
    copies = [contig for file in files for contig in read_records(file)]
    assert [copy.name for copy in copies] == [f"COPY{i}_NC_005816.1" for i in range(3)]
    for copy in copies:
        np.testing.assert_array_equal(copy.nucleotides, original.nucleotides)
        assert copy.coding_sequences == original.coding_sequences
    written = files[0].stat().st_mtime_ns
    assert write_copies(small_file, 4, tmp_path / "copies")[:3] == files
    assert files[0].stat().st_mtime_ns == written


@pytest.mark.parametrize(("layout", "num_files"), [("many files", 3), ("one file", 1)])
def test_a_preparation_is_timed_with_its_memory(small_file, tmp_path, layout, num_files):
    preparation = Preparation(small_file, tmp_path, layout, workers=1)
    assert preparation.call("prepare", 3)["input_bytes"] > 0
    assert len(preparation.files) == num_files
    reading = preparation.measure("prepare", with_memory=True)
    assert reading.seconds > 0
    assert reading.peak_bytes >= reading.extra_bytes >= 0
    assert reading.peak_bytes > 50 << 20
    report = json.loads((tmp_path / f"corpus of {layout}/report.json").read_text())
    assert (report["contigs"], report["pairs"]["kept"]) == (3, 30)


def test_a_preparation_that_fails_says_why(tmp_path):
    (tmp_path / "broken.gb").write_text("LOCUS  broken\n")
    preparation = Preparation(tmp_path / "broken.gb", tmp_path, "many files", workers=1)
    preparation.call("prepare", 1)
    with pytest.raises(ContenderFailed, match="copy00000"):
        preparation.measure("prepare")


def test_the_memory_of_a_process_holds_that_of_its_children():
    grandchild = "import sys; x = bytearray(b'1' * (60 << 20)); print('held', flush=True); sys.stdin.read()"
    child = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {grandchild!r}])"
    with subprocess.Popen(
        [sys.executable, "-c", child], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as process:
        assert process.stdout.readline() == b"held\n"
        held = tree_bytes(process.pid)
        process.stdin.close()
    assert 60 << 20 < held < 200 << 20
    assert tree_bytes(process.pid) == 0


# Settings and figures


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"parts": []}, "must not be empty"),
        ({"copies": [0]}, "must be positive"),
        ({"repeats": 0}, "must be positive"),
    ],
)
def test_settings_that_make_no_benchmark(changes, said):
    with pytest.raises(UserError, match=said):
        benchmark(**changes)


def test_only_one_genbank_file_will_do(tmp_path):
    assert genome_file("ecoli") == packaged_genomes()["ecoli"]
    (tmp_path / "a.fa").write_text(">a\nACGT\n")
    (tmp_path / "b.fa").write_text(">b\nACGT\n")
    for name in ("a.fa", "*.fa"):
        with pytest.raises(UserError, match="is not one GenBank file"):
            genome_file(str(tmp_path / name))


def results(*rows):
    facts = {("loader", 4096): {"filled": 0.9912}}
    return Results(MACHINE, list(rows), facts, more={"counts": COUNTS._asdict()})


ROWS = [
    Measurement("lifecode", 1_000_000, "read", 0, "warm-up", 9.0, 2**20, 100 * 2**20),
    Measurement("lifecode", 1_000_000, "read", 1, "measured", 0.5),
    Measurement("biopython", 1_000_000, "read", 1, "measured", 4.5, peak_bytes=150 * 2**20),
    Measurement("loader", 4096, "load", 1, "measured", 0.4),
    Measurement("many files", 1, "prepare", 1, "measured", 2.0, 0, 200 * 2**20),
    Measurement("many files", 20, "prepare", 1, "measured", 43.0, 0, 240 * 2**20),
    Measurement("many files", 20, "prepare", 2, "measured", 42.0, 0, 250 * 2**20),
]


def test_figures_and_lines_by_hand():
    known = results(*ROWS)
    found = benchmark().records(known)
    names = ("nucleotides_per_second", "peak_bytes", "time_ratio", "memory_ratio")
    figures = {(r["contender"], r["length"]): tuple(r[name] for name in names) for r in found}
    assert figures["lifecode", 1_000_000] == (2_000_000.0, 100 * 2**20, 1.0, 1.0)
    assert figures["biopython", 1_000_000][2:] == (9.0, 1.5)
    assert figures["loader", 4096][0] == pytest.approx(5e6)
    assert figures["many files", 20] == (20e6 / 42, 250 * 2**20, 21.0, 1.25)
    assert benchmark().lines(known, found) == [
        "Rounds: 2. Ratios are of the minima. Both readings find 10 exact pairs in 12 CDS.",
        "GenBank to pairs: 9.00 times as fast as Biopython's SeqIO",
        "Loader at 4,096 codons: 5.00 M nucleotides/s on one core, rows 99.12% full",
        "Preparing 20 copies over 1 as many files: 21.00 times as long, 1.25 times the memory",
    ]


# The command


def test_ctrl_c_ends_the_run_and_keeps_what_was_measured(monkeypatch, tmp_path, small_file, capsys):
    class Interrupting:
        def __init__(self, factory, **settings):
            (self.name, *_) = factory.args

        def call(self, method, *arguments):
            return COUNTS if method == "counts" else {}

        def measure(self, part, *, with_memory=False):
            if self.name == "biopython":
                raise KeyboardInterrupt
            return Measured(1.0)

        def release(self):
            pass

        def __enter__(self):
            return self

        def __exit__(self, *error):
            pass

    monkeypatch.setattr(data, "FreshProcess", Interrupting)
    monkeypatch.setattr(data, "describe_machine", lambda threads: MACHINE)
    chosen = benchmark(input=str(small_file), output=tmp_path)
    found = chosen.measure(lambda label, calls: None)
    assert found.interrupted
    assert [(row.contender, row.status) for row in found.rows] == [
        ("lifecode", "warm-up"),
        ("lifecode", "interrupted"),
        ("biopython", "interrupted"),
    ]
    assert list(tmp_path.iterdir()) == []
    assert main("data", DataBenchmark, [f"input={small_file}", f"output={tmp_path}/out"]) == 130
    assert "what was measured until then is in" in capsys.readouterr().err
    assert (tmp_path / "out/measurements.csv").exists()


@pytest.mark.slow
def test_the_command_measures_every_part(tmp_path, small_file):
    small = ["copies=[3,1]", "max_codons=[256]", "loader_nucleotides=20000", "repeats=1"]
    done = subprocess.run(
        [*COMMAND, f"input={small_file}", *small],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=True,
    )
    folder = tmp_path / "bench/data"
    assert {path.name for path in folder.iterdir()} == {"measurements.csv", "benchmark.json"}
    with (folder / "measurements.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["status"] for row in rows].count("measured") == len(rows) / 2 == 2 + 1 + 2 * 2
    described = json.loads((folder / "benchmark.json").read_text())
    assert described["counts"] == {"contigs": 1, "nucleotides": 9609, "cds": 10, "pairs": 10}
    assert "times as fast as Biopython's SeqIO" in done.stdout
    assert "Preparing 3 copies over 1 as one file: " in done.stdout
