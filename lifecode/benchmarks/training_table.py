"""The table of `lifecode bench train`, and the ratios of throughput to read off it."""

from typing import Any, NamedTuple

from rich.table import Table

from lifecode.benchmarks.measurement import Point, Points, reasons, summarise
from lifecode.benchmarks.training_benchmark import TrainingBenchmark, TrainingResults
from lifecode.benchmarks.training_step import PART

COLUMNS = (
    "nucleotides",
    "contender",
    "parameters",
    "s a step\nmin / median",
    "nucleotides/s",
    "extra\nMiB",
    "GFLOP\na step",
    "% of matrix\nproducts' rate",
)

COMPARISONS = (
    (("11:1", 4096), ("0:12", 4096)),
    (("11:1", 16384), ("0:12", 16384)),
    (("11:1", 4096), ("12:0", 4096)),
    (("12:0", 65536), ("12:0", 4096)),
)
"""Pairs of (contender, nucleotides) whose throughputs are compared."""


class Throughput(NamedTuple):
    """Derived from the minimum of one contender at one length; None: not there.

    Attributes:
        nucleotides_per_second: trained on.
        extrapolated: whether it follows from shorter lengths.
        matmul_share: operations a second over the machine's rate of matrix products, 0 to 1.
    """

    nucleotides_per_second: float | None
    extrapolated: bool
    matmul_share: float | None


Throughputs = dict[tuple[str, int], Throughput]
"""By (contender, nucleotides of a sequence)."""


def throughputs(benchmark: TrainingBenchmark, results: TrainingResults) -> Throughputs:
    """The throughput of every point."""
    rate = results.machine.matmul_gflops * 1e9
    found: Throughputs = {}
    for (name, length, _), point in summarise(results.rows).items():
        flops = results.facts.get((name, length), {}).get("flops")
        seconds = point.seconds
        found[name, length] = Throughput(
            benchmark.nucleotides(length) / seconds if seconds else None,
            point.status == "extrapolated",
            flops / seconds / rate if flops and seconds else None,
        )
    return found


def training_table(benchmark: TrainingBenchmark, results: TrainingResults) -> Table:
    """One row a length and contender; `~` marks what was extrapolated."""
    points, speeds = summarise(results.rows), throughputs(benchmark, results)
    table = Table(title=_title(benchmark), title_justify="left")
    for column in COLUMNS:
        table.add_column(column, justify="left" if column == "contender" else "right")
    for length in benchmark.num_nucleotides:
        for name in benchmark.contenders:
            facts = results.facts.get((name, length), {})
            table.add_row(*_cells(points, speeds[name, length], facts, name, length))
        table.add_section()
    return table


def training_lines(benchmark: TrainingBenchmark, results: TrainingResults) -> list[str]:
    """What stands under the table: comparisons whose points exist, sizes, and reasons."""
    speeds = throughputs(benchmark, results)
    lines = [f"Rounds: {benchmark.repeats}. Throughput and share are of the minimum; ~ is extrapolated."]
    for upper, lower in COMPARISONS:
        ratio = _ratio(speeds.get(upper), speeds.get(lower))
        if ratio is not None:
            marked = "~" if speeds[upper].extrapolated or speeds[lower].extrapolated else ""
            pair = " over ".join(f"{name} at {length:,}" for name, length in (upper, lower))
            lines.append(f"nucleotides/s of {pair}: {marked}{ratio:.2f}")
    for name in benchmark.contenders:
        facts = next((known for (other, _), known in results.facts.items() if other == name), {})
        if positions := facts.get("position_parameters"):
            lines.append(f"{name}: {positions:,.0f} parameters of learned positions not counted")
    return lines + reasons(results.rows)


def training_description(benchmark: TrainingBenchmark, results: TrainingResults) -> list[dict[str, Any]]:
    """Facts and derived figures as records for `benchmark.json`."""
    return [
        {"contender": name, "length": length} | results.facts.get((name, length), {}) | speed._asdict()
        for (name, length), speed in throughputs(benchmark, results).items()
    ]


def _title(benchmark: TrainingBenchmark) -> str:
    step = f"{benchmark.nucleotides_a_step:,} nucleotides a step or one sequence"
    return f"Training steps, {benchmark.precision}, {step}"


def _cells(points: Points, speed: Throughput, facts: dict[str, float], name: str, length: int) -> list[str]:
    point = points[name, length, PART]
    tilde = "~" if speed.extrapolated else ""
    mebibytes = None if point.extra_bytes is None else point.extra_bytes / 2**20
    gigaflops = facts["flops"] / 1e9 if "flops" in facts else None
    share = None if speed.matmul_share is None else 100 * speed.matmul_share
    return [
        f"{length:,}",
        name,
        _number(facts.get("parameters"), ",.0f"),
        _seconds(point),
        tilde + _number(speed.nucleotides_per_second, ",.0f"),
        tilde + _number(mebibytes, ",.0f"),
        _number(gigaflops, ",.3g"),
        _number(share, ".1f"),
    ]


def _seconds(point: Point) -> str:
    if point.seconds is None or point.seconds_median is None:
        return point.status
    if point.status == "extrapolated":
        return f"~{point.seconds:.3g}"
    return f"{point.seconds:.3g} / {point.seconds_median:.3g}"


def _ratio(upper: Throughput | None, lower: Throughput | None) -> float | None:
    if upper is None or lower is None or not lower.nucleotides_per_second:
        return None
    return (
        None
        if upper.nucleotides_per_second is None
        else (upper.nucleotides_per_second / lower.nucleotides_per_second)
    )


def _number(value: float | None, form: str) -> str:
    return "" if value is None else format(value, form)
