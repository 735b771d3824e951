"""What the benchmarks share: fresh processes, peaks, rounds, extrapolation, rows. No time decides a test."""

import os
import signal

import numpy as np
import pytest

from benchmarks.data import DataBenchmark
from benchmarks.measuring import command, rounds
from benchmarks.measuring.command import make_folder, progress_bar
from benchmarks.measuring.fresh_process import ContenderFailed, FreshProcess, Measured
from benchmarks.measuring.machine import Machine, MatrixProducts
from benchmarks.measuring.measurement import Column, Measurement, Point, reasons, records, summarise, table
from benchmarks.measuring.peak_memory import PeakMemory
from benchmarks.measuring.rounds import Schedule, measure_rounds, power_law
from benchmarks.op import OperatorBenchmark
from benchmarks.train import TrainingBenchmark
from lifecode.errors import UserError
from lifecode.ops.cpu import matmul_rate

MEBIBYTE = 2**20


class Balloon:
    """A workload that holds `length` MiB and fills some more for a moment."""

    def __init__(self) -> None:
        self.held = np.empty(0)

    def prepare(self, length):
        self.held = np.ones(length * MEBIBYTE, np.uint8)
        return {"bytes": float(self.held.nbytes)}

    def run(self, part):
        if part == "raise":
            raise UserError("no helium", remedy="Buy some")
        if part == "crash":
            raise RuntimeError("x" * 500)
        if part == "kill":
            os.kill(os.getpid(), signal.SIGKILL)
        np.ones(int(part) * MEBIBYTE, np.uint8)


@pytest.fixture(scope="module")
def balloon():
    with FreshProcess(Balloon, threads=1) as process:
        yield process


# A process of its own


def test_the_peak_is_of_the_call_alone(balloon):
    assert balloon.call("prepare", 40) == {"bytes": 40 * MEBIBYTE}
    for filled in (200, 20, 100):  # a smaller one after a larger one
        reading = balloon.measure(str(filled), with_memory=True)
        assert reading.extra_bytes == pytest.approx(filled * MEBIBYTE, abs=8 * MEBIBYTE)
        assert reading.peak_bytes > (40 + filled) * MEBIBYTE
    assert balloon.measure("5")[1:] == (None, None)


def test_memory_that_the_allocator_kept_counts_again():
    memory = PeakMemory()
    pieces = [np.ones(64 * 1024, np.uint8) for _ in range(800)]  # 50 MiB too small for pages of their own
    pieces[:-1] = []  # the last one lies on top and keeps the allocator from giving the rest back by itself
    before = memory.reset()
    pieces += [np.ones(64 * 1024, np.uint8) for _ in range(800)]
    assert memory.peak() - before > 40 * MEBIBYTE


def test_a_workload_that_raises_is_one_line_and_serves_on(balloon):
    with pytest.raises(ContenderFailed, match=r"^no helium. Buy some$"):
        balloon.measure("raise")
    with pytest.raises(ContenderFailed, match=r"^RuntimeError: xxx") as caught:
        balloon.measure("crash")
    assert len(str(caught.value)) == 160
    assert balloon.measure("1").seconds > 0


def test_a_process_that_is_killed_says_so_every_time():
    with FreshProcess(Balloon, threads=1) as process:
        for _ in range(2):
            with pytest.raises(ContenderFailed, match="killed, most likely for lack of memory"):
                process.measure("kill")


# Extrapolation


def test_a_power_law_goes_through_the_last_two_points():
    costs_per_unit = [(10, 99.0), (100, 2.0), (400, 8.0)]
    assert power_law(costs_per_unit, 1600) == pytest.approx(32.0)


@pytest.mark.parametrize("points", [[(100, 3.0)], [(10, 5.0), (100, 3.0)], [(10, 0.0), (100, 3.0)]])
def test_one_point_and_falling_costs_are_carried_on_unchanged(points):
    assert power_law(points, 100_000) == 3.0


# Rounds


class Script:
    """Stands for a process: seconds by the length, and a log of what was asked."""

    def __init__(self, name, log, seconds, extra_bytes=lambda length: 0, fails_at=()):
        self.name, self.log, self.seconds, self.extra = name, log, seconds, extra_bytes
        self.fails_at, self.length, self.refuses, self.releases = fails_at, 0, None, 0

    def call(self, method, length):
        assert method == "prepare"
        if length == self.refuses:
            raise ContenderFailed("too long to make")
        self.length = length
        self.log.append((self.name, "prepare", length))
        return {"twice": 2.0 * length}

    def measure(self, part, *, with_memory=False):
        self.log.append((self.name, part, self.length))
        if self.length in self.fails_at:
            raise ContenderFailed("out of memory")
        return Measured(self.seconds(self.length), self.extra(self.length) if with_memory else None, None)

    def release(self):
        self.releases += 1


def schedule(*lengths, parts=("step",), repeats=2, max_seconds=60.0):
    return Schedule(lengths, parts, repeats, max_seconds, units=lambda length: length)


def test_contenders_take_turns_after_a_warm_up():
    log = []
    scripts = {name: Script(name, log, lambda length: 1.0) for name in "ab"}
    results = measure_rounds(scripts, schedule(10, parts=("forward", "step")))
    turn = [(name, part, 10) for name in "ab" for part in ("forward", "step")]
    assert log == [("a", "prepare", 10), ("b", "prepare", 10), *turn * 3]
    assert [row.status for row in results.rows] == ["warm-up"] * 4 + ["measured"] * 8
    assert results.facts == {("a", 10): {"twice": 20.0}, ("b", 10): {"twice": 20.0}}


def test_ctrl_c_keeps_what_was_measured():
    log = []

    def seconds(length):
        if len(log) > 6:  # in the last round of the first length
            raise KeyboardInterrupt
        return 1.0

    scripts = {name: Script(name, log, seconds) for name in "ab"}
    results = measure_rounds(scripts, schedule(10, 20))
    assert results.interrupted
    points = summarise(results.rows)
    assert [points[name, 10, "step"].seconds for name in "ab"] == [1.0, 1.0]
    assert [points[name, 20, "step"].status for name in "ab"] == ["interrupted"] * 2


def test_a_call_that_would_take_too_long_is_extrapolated_by_its_own_law():
    log = []
    quadratic = Script("a", log, lambda length: (length / 1000) ** 2)
    linear = Script("b", log, lambda length: length / 1000)
    results = measure_rounds({"a": quadratic, "b": linear}, schedule(1000, 4000, 16000))
    points = summarise(results.rows)
    beyond = points["a", 16000, "step"]
    assert (beyond.status, beyond.seconds) == ("extrapolated", pytest.approx(256.0))
    assert beyond.note == "would take 256 s, more than max_seconds"
    assert points["b", 16000, "step"].status == "measured"
    assert ("a", "prepare", 16000) not in log
    # The law goes on beyond the first length that was not measured.
    longer = measure_rounds({"a": quadratic}, schedule(1000, 4000, 16000, 64000))
    assert summarise(longer.rows)["a", 64000, "step"].seconds == pytest.approx(4096.0)


@pytest.mark.parametrize(("free_gib", "turns"), [(2.5, "ab" * 2), (2.3, "aaabbb")])
def test_contenders_that_cannot_all_keep_their_memory_do_not_take_turns(monkeypatch, free_gib, turns):
    monkeypatch.setattr(rounds, "available_bytes", lambda: int(free_gib * 2**30))
    log = []
    scripts = {name: Script(name, log, lambda length: 1.0, lambda length: 2**30) for name in "ab"}
    results = measure_rounds(scripts, schedule(10))
    asked = [name for name, what, _ in log if what == "step"]
    assert asked == list("ab" + turns)  # warm-up, then two rounds; in a row they begin with one more call
    assert [row.status for row in results.rows].count("measured") == 4
    # At the start of the length and at the other's warm-up; in a row also before the other's rounds.
    assert {script.releases for script in scripts.values()} == {2 if turns == "abab" else 3}


def test_a_call_that_would_need_more_memory_than_is_free_is_not_made(monkeypatch):
    monkeypatch.setattr(rounds, "available_bytes", lambda: 2**30)
    script = Script("a", [], lambda length: 0.1, lambda length: length**2)
    results = measure_rounds({"a": script}, schedule(1000, 4000, 64000))
    point = summarise(results.rows)["a", 64000, "step"]
    assert point.status == "extrapolated"
    assert point.extra_bytes == pytest.approx(64000**2)
    assert point.note == "would take 3.81 GiB, more than is free"


def test_a_contender_that_fails_is_a_row_and_is_not_tried_again():
    log, told = [], []
    scripts = {
        "a": Script("a", log, lambda length: 1.0, fails_at=(20,)),
        "b": Script("b", log, lambda length: 1.0),
    }
    results = measure_rounds(scripts, schedule(10, 20, 40), on_progress=lambda label, n: told.append(n))
    points = summarise(results.rows)
    assert [points["a", length, "step"].status for length in (10, 20, 40)] == ["measured", "failed", "failed"]
    assert [points["b", length, "step"].status for length in (10, 20, 40)] == ["measured"] * 3
    assert log.count(("a", "step", 20)) == 1
    assert ("a", "prepare", 40) not in log
    assert sum(told) == 2 * 3 * 3  # progress ends at the end
    assert reasons(results.rows) == ["a at 20, 40 failed: out of memory"]


def test_inputs_that_cannot_be_made_are_a_failure_of_all_parts():
    told, script = [], Script("a", [], lambda length: 1.0)
    script.refuses = 20
    chosen = schedule(10, 20, parts=("forward", "step"))
    results = measure_rounds({"a": script}, chosen, on_progress=lambda label, n: told.append(n))
    points = summarise(results.rows)
    assert [points["a", 20, part].note for part in ("forward", "step")] == ["too long to make"] * 2
    assert sum(told) == 2 * 2 * 3


# Rows and points


ROWS = [
    Measurement("a", 10, "step", 0, "warm-up", 9.0, 500, 900),
    Measurement("a", 10, "step", 1, "measured", 3.0),
    Measurement("a", 10, "step", 2, "measured", 1.0),
    Measurement("a", 10, "step", 3, "measured", 2.5),
    Measurement("b", 10, "step", 0, "left out", note="b is not installed"),
]


def test_a_point_has_the_minimum_and_median_without_the_warm_up():
    points = summarise(ROWS)
    assert points["a", 10, "step"] == Point("measured", 1.0, 2.5, 500, 900)
    assert points["b", 10, "step"] == Point("left out", note="b is not installed")
    assert reasons(ROWS) == ["b left out: b is not installed"]


def test_a_failure_in_a_later_round_fails_the_point():
    rows = [*ROWS[:2], Measurement("a", 10, "step", 0, "failed", note="killed")]
    assert summarise(rows)["a", 10, "step"] == Point("failed", note="killed")


def test_the_table_shows_each_point_as_it_came_about():
    rows = [*ROWS, Measurement("c", 20, "step", 0, "extrapolated", 64.0)]
    known = records(summarise(rows), {("a", 10): {"flops": 5e9}}, lambda key: {"twice": 2 * key[1]})
    columns = (
        Column("contender", "contender"),
        Column("ms", "time", 1e3),
        Column("GFLOP", "flops", 1e-9, ".1f"),
        Column("twice", "twice", form=","),
    )
    drawn = table("a title", columns, known, "length")
    cells = [list(column.cells) for column in drawn.columns]
    assert cells == [
        ["a", "b", "c"],
        ["1,000 / 2,500", "left out", "~6.4e+04"],
        ["5.0", "", ""],
        ["20", "20", "40"],
    ]


def test_the_folder_must_not_be_a_file(tmp_path):
    (tmp_path / "taken").touch()
    with pytest.raises(UserError, match=r"taken: is a file, not a folder. Choose another output"):
        make_folder(tmp_path / "taken")


# The machine


def test_the_rate_counts_two_operations_a_multiply_add(monkeypatch):
    clock = iter(range(100))
    monkeypatch.setattr(matmul_rate.time, "perf_counter", lambda: float(next(clock)))  # a second a product
    assert MatrixProducts().best_gflops("fp32", size=100) == pytest.approx(2 * 100**3 / 1e9)


@pytest.mark.parametrize(("load", "warns"), [(1.0, False), (1.01, True), (None, False)])
def test_a_busy_machine_is_warned_of(load, warns):
    known = Machine("cpu", 2, 2, 2**34, load, "Linux x86_64", {"torch": "2"}, "fp32", 100.0)
    warning = known.load_warning()
    assert (warning is not None) == warns
    assert "2 threads" in known.description()
    assert "100.0 GFLOP/s" in known.description()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_what_would_kill_a_benchmark_or_be_ignored_stops_it_in_order(number):
    before = signal.signal(number, signal.SIG_IGN)  # as in the background of a shell
    try:
        with pytest.raises(KeyboardInterrupt), progress_bar(3):
            signal.raise_signal(number)
        assert signal.getsignal(number) == signal.SIG_IGN
    finally:
        signal.signal(number, before)


def test_without_a_terminal_a_line_now_and_then_says_how_far_it_is(monkeypatch, capsys):
    clock = iter([0.0, 5.0, 25.0, 25.0, 30.0])
    monkeypatch.setattr(command.time, "perf_counter", lambda: next(clock))
    with progress_bar(4) as on_progress:
        on_progress("12:0 at 1,024", 1)
        on_progress("11:1 at 1,024", 1)
        on_progress("0:12 at 1,024", 1)
    assert capsys.readouterr().err == "2 of 4 calls done; 11:1 at 1,024\n"


@pytest.mark.parametrize(
    ("kind", "argument", "said"),
    [
        (OperatorBenchmark, "contenders=[nobody]", "contenders: there is no contender 'nobody'."),
        (OperatorBenchmark, "positions=5", "positions: is 5, expected"),
        (OperatorBenchmark, "device=tpu", "device: is 'tpu', expected 'cpu' or 'cuda'"),
        (OperatorBenchmark, "positions=[0]", "must be positive"),
        (OperatorBenchmark, "repeets=3", "Could not override 'repeets'"),
        (
            TrainingBenchmark,
            "ratios=[7:1]",
            "a depth of 12 layers is no multiple of 7 + 1.",
        ),
        (TrainingBenchmark, "ratios=[661]", "ratios: is [661], expected"),
        (TrainingBenchmark, "peers=[gpt]", "peers: there is no peer 'gpt'."),
        (TrainingBenchmark, "precision=fp8", "precision: is 'fp8', expected 'fp32' or 'bf16'"),
        (DataBenchmark, "parts=[reed]", "parts: there is no part 'reed'."),
        (DataBenchmark, "copies=5", "copies: is 5, expected"),
        (DataBenchmark, "input=nowhere.gb", "nowhere.gb: no such file"),
        (DataBenchmark, "workers=0", "must be positive"),
    ],
)
def test_a_wrong_value_is_one_line_and_leaves_no_folder(kind, argument, said, capsys, tmp_path):
    name = kind.__module__.removeprefix("benchmarks.")
    assert command.main(name, kind, [argument, f"output={tmp_path}/out"]) == 2
    err = capsys.readouterr().err
    assert err.startswith(f"benchmarks.{name}: ")
    assert said in err
    assert err.count("\n") == 1
    assert not (tmp_path / "out").exists()
