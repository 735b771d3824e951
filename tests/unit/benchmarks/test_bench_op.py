"""`make bench-op`: contenders, operations, what follows from the times, and the command itself."""

import csv
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from benchmarks import contenders, op
from benchmarks.contenders import (
    CHUNK,
    CONTENDERS,
    OperatorCall,
    OperatorShape,
    bound_flops,
    default_contenders,
    missing_package,
    obstacle,
    random_inputs,
)
from benchmarks.measuring.command import Results, main
from benchmarks.measuring.fresh_process import ContenderFailed, Measured
from benchmarks.measuring.machine import Machine
from benchmarks.measuring.measurement import Measurement, reasons
from benchmarks.op import OperatorBenchmark, wrong_result
from lifecode.errors import UserError
from lifecode.ops.cpu import register_tiles
from tests.support.repository import ROOT

SHAPE = OperatorShape(batch=2, heads=3, key_dim=8, value_dim=16)
COMMAND = [sys.executable, "-m", "benchmarks.op"]
MACHINE = Machine("cpu", 2, 2, 2**34, 0.1, "Linux x86_64", {}, "fp32", 100.0)


def benchmark(**changes):
    settings = {
        **SHAPE._asdict(),
        "positions": [100, 400],
        "contenders": ["native", "chunked", "transformers", "opengdn"],
        "repeats": 2,
        "max_seconds": 60.0,
        "threads": 1,
        "device": "cpu",
        "keep_memory": False,
        "output": Path("out"),
    }
    return OperatorBenchmark(**settings | changes)


# Contenders


@pytest.mark.parametrize("name", [name for name in CONTENDERS if name != "fla"])
def test_every_contender_computes_the_rule_and_its_gradients(name):
    errors = OperatorCall(name, SHAPE, "cpu").largest_errors()
    assert set(errors) == {"output", "q", "k", "v", "g", "beta"}
    assert max(errors.values()) < 1e-5
    assert wrong_result(errors, "cpu") is None


@pytest.mark.parametrize("wrong", ["output", "k"])
def test_a_contender_that_computes_something_else_is_found(wrong):
    call = OperatorCall("chunked", SHAPE, "cpu")
    right = call.rule

    def rule(q, k, v, g, beta):
        if wrong == "k":  # the same output, another gradient
            k = k + (k - k.detach())
        return right(q, k, v, g, beta) * (1.001 if wrong == "output" else 1.0)

    call.rule = rule
    problem = wrong_result(call.largest_errors(), "cpu")
    assert problem is not None
    assert problem.startswith("computes something else: error ")
    assert wrong == "output" or problem.endswith(" in k")


def test_an_error_that_is_no_number_is_wrong():
    assert wrong_result({"output": 0.0, "q": float("nan")}, "cpu") == (
        "computes something else: error nan in q"
    )


def test_both_parts_run_on_the_prepared_length():
    call = OperatorCall("chunked", SHAPE, "cpu")
    assert call.prepare(33) == {}
    seen = []
    rule = call.rule
    call.rule = lambda *inputs: seen.append([tuple(x.shape) for x in inputs]) or rule(*inputs)
    call.run("forward")
    call.run("forward_backward")
    rows = (2, 33, 3)
    assert seen == [[(*rows, 8), (*rows, 8), (*rows, 16), rows, rows]] * 2


def test_inputs_are_what_a_layer_would_give():
    q, k, _, g, beta = random_inputs(SHAPE, 50, "cpu")
    torch.testing.assert_close(q.norm(dim=-1), torch.ones(2, 50, 3))
    torch.testing.assert_close(k.norm(dim=-1), torch.ones(2, 50, 3))
    assert -0.3 <= g.min() <= g.max() <= 0 <= beta.min() <= beta.max() <= 1


def test_who_can_run_here(monkeypatch):
    assert default_contenders("cpu") == ("native", "chunked", "transformers", "opengdn")
    assert default_contenders("cuda")[0] == "fla"
    assert obstacle("native", "cpu") is None
    assert obstacle("fla", "cpu") == "backend 'fla' cannot run: it needs CUDA tensors, these are on cpu"
    assert missing_package("torch") is None
    monkeypatch.setattr(contenders, "find_spec", lambda name: None)
    assert obstacle("opengdn", "cpu") == "opengdn is not installed: pip install -e '.[bench]'"


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"positions": []}, "must not be empty"),
        ({"repeats": 0}, "must be positive"),
        ({"max_seconds": 0.0}, "must be positive"),
        ({"heads": 0}, "must be positive"),
    ],
)
def test_settings_that_make_no_benchmark(changes, said):
    with pytest.raises(UserError, match=said):
        benchmark(**changes)


class Scripted:
    """Stands for a process, by its contender: one wrong, one that cannot be checked, one right."""

    def __init__(self, factory, **settings):
        (self.name, *_), self.settings = factory.args, settings

    def call(self, method, *arguments):
        if method == "prepare":
            return {}
        if self.name == "opengdn":
            raise ContenderFailed("no such thing")
        return {"output": 0.5 if self.name == "chunked" else 1e-7}

    def measure(self, part, *, with_memory):
        return Measured(1.0, 2 * 2**20 if with_memory else None)

    def release(self):
        pass

    def __enter__(self):
        return self

    def __exit__(self, *error):
        pass


def test_only_who_passes_the_check_is_timed(known_machine, monkeypatch):
    monkeypatch.setattr(op, "FreshProcess", Scripted)
    chosen, told = benchmark(contenders=["native", "chunked", "opengdn", "fla"]), []
    found = chosen.measure(lambda label, calls: told.append(calls))
    statuses = {name: {row.status for row in found.rows if row.contender == name} for name in CONTENDERS}
    assert statuses["native"] == {"warm-up", "measured"}
    assert statuses["chunked"] == statuses["opengdn"] == {"failed"}
    assert statuses["fla"] == {"left out"}
    assert reasons(found.rows)[1:] == [
        "chunked at 100, 400 failed: computes something else: error 0.5 in output",
        "opengdn at 100, 400 failed: no such thing",
    ]
    assert sum(told) == chosen.num_calls == 4 * 2 * 2 * 3


# Operations


def test_operations_by_hand():
    assert CHUNK == register_tiles.CHUNK == 16
    one = OperatorShape(batch=1, heads=1, key_dim=1, value_dim=1)
    # Multiply-adds: 2 * 256 + 3 * 16 + 256 + 120, and behind them 5 * 256 + 6.75 * 16 + 3 * 256 + 120.
    assert bound_flops(one, 1, "forward") == bound_flops(one, 16, "forward") == 2 * 936
    assert bound_flops(one, 16, "forward_backward") == 2 * (936 + 2276)
    assert bound_flops(one, 17, "forward") == 2 * 2 * 936
    shape = OperatorShape(batch=2, heads=24, key_dim=32, value_dim=64)
    chunks, forward = 2 * 24 * 86, 16384 + 98304 + 16384 + 7680  # of 1365 positions
    assert bound_flops(shape, 1365, "forward") == 2 * chunks * forward
    both = forward + 40960 + 221184 + 49152 + 7680
    assert bound_flops(shape, 1365, "forward_backward") == 2 * chunks * both


# What follows from the times


def results(*rows):
    errors = {"native": {"output": 1e-7, "q": 3e-7}}
    return Results(MACHINE, list(rows), more={"errors": errors})


def measured(name, length, seconds, extra_bytes=None, status="measured"):
    parts = [("forward", seconds / 4), ("forward_backward", seconds)]
    return [
        Measurement(name, length, part, number, status, time, extra_bytes)
        for part, time in parts
        for number in ((1,) if status == "measured" else (0,))
    ]


def test_figures_and_lines_by_hand():
    rows = [
        *measured("native", 100, 0.001, 2**20),
        *measured("native", 400, 0.008, 3 * 2**20),
        *measured("chunked", 400, 0.016, 6 * 2**20),
        *measured("transformers", 400, 0.080, status="extrapolated"),
    ]
    known = benchmark().records(results(*rows))
    both = {(r["contender"], r["length"]): r for r in known if r["part"] == "forward_backward"}
    native = both["native", 400]
    assert native["microseconds_per_position"] == pytest.approx(10.0)  # 8 ms over 2 x 400
    assert native["speedup_over_transformers"] == pytest.approx(10.0)
    assert native["memory_of_chunked"] == pytest.approx(0.5)
    operations = bound_flops(SHAPE, 400, "forward_backward")
    assert native["bound_seconds"] == pytest.approx(operations / 100e9)
    assert native["bound_factor"] == pytest.approx(0.008 * 100e9 / operations)
    assert both["chunked", 400]["bound_seconds"] is None
    lines = benchmark().lines(results(*rows), known)
    assert "native: largest error beside the recurrence 3.0e-07" in lines
    assert "native: time per position at T = 400 over T = 100: 2.00" in lines
    predicted = results(*rows[:2], *measured("native", 400, 0.008, status="extrapolated"))
    lines = benchmark().lines(predicted, benchmark().records(predicted))
    assert not any("time per position" in line for line in lines)


# The command


@pytest.fixture
def known_machine(monkeypatch):
    monkeypatch.setattr(op, "describe_machine", lambda threads: MACHINE)


def test_a_missing_package_is_one_line_and_left_out(known_machine, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(contenders, "find_spec", lambda name: None)
    arguments = ["contenders=[transformers,opengdn]", f"output={tmp_path}/op", "positions=[8]"]
    assert main("op", OperatorBenchmark, arguments) == 0
    out = capsys.readouterr().out
    for package in ("transformers", "opengdn"):
        said = f"{package} left out: {package} is not installed: pip install -e '.[bench]'"
        assert out.splitlines().count(said) == 1
    assert out.count("left out") == 2 + 2 * 2


@pytest.mark.slow
def test_the_command_measures_every_contender(tmp_path):
    small = ["batch=1", "heads=2", "positions=[130,40]", "repeats=2", "threads=1"]
    done = subprocess.run(
        [*COMMAND, *small, "contenders=[native,chunked,recurrent,transformers,opengdn,fla]"],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=True,
    )
    with (tmp_path / "bench/op/measurements.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    timed = [row for row in rows if row["status"] in ("measured", "warm-up")]
    assert len(timed) == 5 * 2 * 2 * 3
    assert all(float(row["seconds"]) > 0 for row in timed)
    assert {row["contender"] for row in rows if row["status"] == "left out"} == {"fla"}
    described = json.loads((tmp_path / "bench/op/benchmark.json").read_text())
    assert described["machine"]["matmul_gflops"] > 0
    assert described["settings"]["positions"] == [130, 40]
    assert max(max(errors.values()) for errors in described["errors"].values()) < 1e-5
    assert "native: time per position at T = 130 over T = 40: " in done.stdout
    assert "fla left out: backend 'fla' cannot run" in done.stdout
