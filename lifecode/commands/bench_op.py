"""`lifecode bench op`: the gated delta rule beside other implementations, as a table, CSV and JSON."""

from dataclasses import asdict
from typing import Any, Literal

import torch
from omegaconf import DictConfig

from lifecode.benchmarks.measurement import described, make_folder, summarise, write_measurements
from lifecode.benchmarks.operator_benchmark import (
    OperatorBenchmark,
    OperatorResults,
    named_contenders,
    num_calls,
    run_operator_benchmark,
)
from lifecode.benchmarks.operator_contenders import OperatorShape
from lifecode.benchmarks.operator_table import operator_description, operator_lines, operator_table
from lifecode.benchmarks.terminal import print_report, progress_bar
from lifecode.commands.construct import checked_value
from lifecode.errors import Interrupted


def run(config: DictConfig) -> None:
    """Measure, print the table and write the figures."""
    benchmark = _benchmark(config)
    folder = make_folder(checked_value(config, "output", str))
    with progress_bar(num_calls(benchmark)) as on_progress:
        results = run_operator_benchmark(benchmark, on_progress)
    write_measurements(folder, results.rows, _description(benchmark, results))
    print_report(results.machine, operator_table(benchmark, results), operator_lines(benchmark, results))
    print(f"\nEvery measurement is in {folder / 'measurements.csv'}, the machine in benchmark.json")
    if results.interrupted:
        raise Interrupted(f"Stopped before the end; what was measured until then is in {folder}")


def _benchmark(config: DictConfig) -> OperatorBenchmark:
    device: str = checked_value(config, "device", Literal["cpu", "cuda"])
    threads = checked_value(config, "threads", int | None)
    sizes = (checked_value(config, key, int) for key in OperatorShape._fields)
    return OperatorBenchmark(
        shape=OperatorShape(*sizes),
        positions=sorted(set(checked_value(config, "positions", list[int]))),
        contenders=named_contenders(checked_value(config, "contenders", list[str] | None), device),
        repeats=checked_value(config, "repeats", int),
        max_seconds=checked_value(config, "max_seconds", float),
        threads=torch.get_num_threads() if threads is None else threads,
        device=device,
        keep_memory=checked_value(config, "keep_memory", bool),
    )


def _description(benchmark: OperatorBenchmark, results: OperatorResults) -> dict[str, Any]:
    return {
        "benchmark": asdict(benchmark) | {"shape": benchmark.shape._asdict()},
        "machine": results.machine._asdict(),
        "errors": results.errors,
        "points": described(summarise(results.rows)),
        "figures": operator_description(benchmark, results),
    }
