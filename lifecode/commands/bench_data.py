"""`lifecode bench data`: reading, loading and preparing a genome, as ratios of one run."""

from dataclasses import asdict
from typing import Any

from omegaconf import DictConfig

from lifecode.benchmarks.data_benchmark import (
    DataBenchmark,
    DataResults,
    genome_file,
    run_data_benchmark,
)
from lifecode.benchmarks.data_table import data_description, data_lines, data_table
from lifecode.benchmarks.measurement import described, make_folder, summarise, write_measurements
from lifecode.benchmarks.terminal import print_report, progress_bar
from lifecode.commands.construct import checked_value
from lifecode.errors import Interrupted


def run(config: DictConfig) -> None:
    """Measure, print the table and write the figures."""
    benchmark = _benchmark(config)
    folder = make_folder(checked_value(config, "output", str))
    with progress_bar(benchmark.num_calls) as on_progress:
        results = run_data_benchmark(benchmark, folder, on_progress)
    write_measurements(folder, results.rows, _description(benchmark, results))
    print_report(results.machine, data_table(benchmark, results), data_lines(benchmark, results))
    print(f"\nEvery measurement is in {folder / 'measurements.csv'}, the machine in benchmark.json")
    if results.interrupted:
        raise Interrupted(f"Stopped before the end; what was measured until then is in {folder}")


def _benchmark(config: DictConfig) -> DataBenchmark:
    return DataBenchmark(
        genome=genome_file(checked_value(config, "input", str)),
        parts=list(dict.fromkeys(checked_value(config, "parts", list[str]))),
        max_codons=sorted(set(checked_value(config, "max_codons", list[int]))),
        loader_nucleotides=checked_value(config, "loader_nucleotides", int),
        copies=sorted(set(checked_value(config, "copies", list[int]))),
        workers=checked_value(config, "workers", int),
        repeats=checked_value(config, "repeats", int),
    )


def _description(benchmark: DataBenchmark, results: DataResults) -> dict[str, Any]:
    return {
        "benchmark": asdict(benchmark) | {"genome": str(benchmark.genome)},
        "machine": results.machine._asdict(),
        "counts": results.counts._asdict(),
        "points": described(summarise(results.rows)),
        "figures": data_description(benchmark, results),
    }
