"""`lifecode bench train`: throughput of training over lengths, hybrid ratios and peers."""

from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch
from omegaconf import DictConfig

from lifecode.benchmarks.machine import Precision
from lifecode.benchmarks.measurement import described, make_folder, summarise, write_measurements
from lifecode.benchmarks.terminal import print_report, progress_bar
from lifecode.benchmarks.throughput_figures import throughput_by_length, throughput_by_ratio
from lifecode.benchmarks.training_benchmark import (
    TrainingBenchmark,
    TrainingResults,
    run_training_benchmark,
)
from lifecode.benchmarks.training_table import (
    throughputs,
    training_description,
    training_lines,
    training_table,
)
from lifecode.commands.construct import checked_value, construct
from lifecode.data.durable import replacing
from lifecode.errors import Interrupted
from lifecode.report.figure_style import plain_settings, save_png


def run(config: DictConfig) -> None:
    """Measure, print the table and write figures."""
    benchmark = _benchmark(config)
    folder = make_folder(checked_value(config, "output", str))
    with progress_bar(benchmark.num_calls) as on_progress:
        results = run_training_benchmark(benchmark, on_progress)
    _write(folder, benchmark, results)
    print_report(results.machine, training_table(benchmark, results), training_lines(benchmark, results))
    print(f"\nEvery measurement is in {folder / 'measurements.csv'}, with benchmark.json and two figures")
    if results.interrupted:
        raise Interrupted(f"Stopped before the end; what was measured until then is in {folder}")


def _benchmark(config: DictConfig) -> TrainingBenchmark:
    with torch.device("meta"):
        model = construct(config.model)
    threads = checked_value(config, "threads", int | None)
    return TrainingBenchmark(
        model=model.config,
        num_parameters=sum(p.numel() for p in model.parameters()),
        ratios=list(dict.fromkeys(checked_value(config, "ratios", list[str]))),
        peers=list(dict.fromkeys(checked_value(config, "peers", list[str]))),
        num_nucleotides=sorted(set(checked_value(config, "num_nucleotides", list[int]))),
        nucleotides_a_step=checked_value(config, "nucleotides_a_step", int),
        precision=checked_value(config, "precision", Precision),
        repeats=checked_value(config, "repeats", int),
        max_seconds=checked_value(config, "max_seconds", float),
        threads=torch.get_num_threads() if threads is None else threads,
        profile=checked_value(config, "profile", bool),
    )


@plain_settings
def _write(folder: Path, benchmark: TrainingBenchmark, results: TrainingResults) -> None:
    description: dict[str, Any] = {
        "benchmark": asdict(benchmark),
        "machine": results.machine._asdict(),
        "points": described(summarise(results.rows)),
        "figures": training_description(benchmark, results),
    }
    write_measurements(folder, results.rows, description)
    speeds, lengths = throughputs(benchmark, results), benchmark.num_nucleotides
    by_length = throughput_by_length(speeds, benchmark.ratios, benchmark.peers, lengths)
    save_png(by_length, folder / "throughput_by_length.png")
    save_png(throughput_by_ratio(speeds, benchmark.ratios, lengths), folder / "throughput_by_ratio.png")
    if results.profile is not None:
        with replacing(folder / "profile.txt") as file:
            file.write(results.profile.encode())
