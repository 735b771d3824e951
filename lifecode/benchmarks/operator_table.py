"""The table of `lifecode bench op`, and what it lets one read off."""

from typing import Any, NamedTuple

from rich.table import Table

from lifecode.benchmarks.measurement import Point, Points, reasons, summarise
from lifecode.benchmarks.operator_benchmark import OperatorBenchmark, OperatorResults
from lifecode.benchmarks.operator_flops import backward_flops, forward_flops

COLUMNS = (
    "T",
    "contender",
    "forward ms\nmin / median",
    "forward+backward ms\nmin / median",
    "us a\nposition",
    "transformers'\ntime / own",
    "extra\nMiB",
    "of\nchunked's",
    "bound\nms",
    "own time\n/ bound",
)


class OperatorFigures(NamedTuple):
    """Derived from the minimum of forward + backward of one contender at one length; None: not there.

    Attributes:
        microseconds_a_position: over B T positions.
        speedup_over_transformers: its time over this one's.
        memory_of_chunked: this one's extra memory over that of `chunked`.
        bound_seconds: what the operations of `native` take at the machine's rate of matrix products.
        bound_factor: time over that bound.
    """

    microseconds_a_position: float | None
    speedup_over_transformers: float | None
    memory_of_chunked: float | None
    bound_seconds: float | None
    bound_factor: float | None


def operator_figures(
    points: Points, benchmark: OperatorBenchmark, gflops: float, contender: str, length: int
) -> OperatorFigures:
    """Everything the table derives for one of its rows."""

    def point(name: str) -> Point | None:
        return points.get((name, length, "forward_backward"))

    own, peer, chunked = point(contender), point("transformers"), point("chunked")
    seconds = own.seconds if own else None
    flops = forward_flops(benchmark.shape, length) + backward_flops(benchmark.shape, length)
    bound = flops / (gflops * 1e9) if contender == "native" else None
    return OperatorFigures(
        None if seconds is None else 1e6 * seconds / (benchmark.shape.batch * length),
        _ratio(peer.seconds if peer else None, seconds),
        _ratio(own.extra_bytes if own else None, chunked.extra_bytes if chunked else None),
        bound,
        _ratio(seconds, bound),
    )


def operator_table(benchmark: OperatorBenchmark, results: OperatorResults) -> Table:
    """One row a length and contender; `~` marks what was extrapolated."""
    points = summarise(results.rows)
    table = Table(title=_title(benchmark), title_justify="left")
    for column in COLUMNS:
        table.add_column(column, justify="left" if column == "contender" else "right")
    for length in benchmark.positions:
        for name in benchmark.contenders:
            table.add_row(*_cells(points, benchmark, results.machine.matmul_gflops, name, length))
        table.add_section()
    return table


def operator_lines(benchmark: OperatorBenchmark, results: OperatorResults) -> list[str]:
    """What stands under the table: errors, reasons, and how the time a position of `native` grows."""
    lines = [f"Rounds: {benchmark.repeats}. Ratios are of the minima of both passes; ~ is extrapolated."]
    lines += [
        f"{name}: largest error beside the recurrence {max(errors.values()):.1e}"
        for name, errors in results.errors.items()
    ]
    lines += reasons(results.rows)
    first, last = benchmark.positions[0], benchmark.positions[-1]
    growth = _growth(summarise(results.rows), first, last)
    if growth is not None:
        lines.append(f"native: time a position at T = {last:,} over T = {first:,}: {growth:.2f}")
    return lines


def _growth(points: Points, first: int, last: int) -> float | None:
    """How many times as long `native` takes a position at the last length; None unless both were measured."""
    ends = [points.get(("native", length, "forward_backward")) for length in (first, last)]
    short, long = (end.seconds if end and end.status == "measured" else None for end in ends)
    ratio = _ratio(long, short)
    return None if ratio is None or last == first else ratio * first / last


def operator_description(benchmark: OperatorBenchmark, results: OperatorResults) -> list[dict[str, Any]]:
    """The derived figures as records for `benchmark.json`."""
    points = summarise(results.rows)
    return [
        {"contender": name, "length": length}
        | operator_figures(points, benchmark, results.machine.matmul_gflops, name, length)._asdict()
        for length in benchmark.positions
        for name in benchmark.contenders
    ]


def _title(benchmark: OperatorBenchmark) -> str:
    shape = benchmark.shape
    sizes = f"B {shape.batch}, H {shape.heads}, K {shape.key_dim}, V {shape.value_dim}"
    return f"Gated delta rule, {sizes}, fp32"


def _cells(points: Points, benchmark: OperatorBenchmark, gflops: float, name: str, length: int) -> list[str]:
    forward, both = (points[name, length, part] for part in ("forward", "forward_backward"))
    figures = operator_figures(points, benchmark, gflops, name, length)
    mebibytes = None if both.extra_bytes is None else both.extra_bytes / 2**20
    bound = None if figures.bound_seconds is None else 1e3 * figures.bound_seconds
    return [
        f"{length:,}",
        name,
        milliseconds(forward),
        milliseconds(both),
        _number(figures.microseconds_a_position, ".3g"),
        _number(figures.speedup_over_transformers, ".2f"),
        _number(mebibytes, ",.0f"),
        _number(figures.memory_of_chunked, ".2f"),
        _number(bound, ".3g"),
        _number(figures.bound_factor, ".2f"),
    ]


def milliseconds(point: Point) -> str:
    """`12.3 / 12.9`, `~12.3`, or the status of a point without a time."""
    if point.seconds is None or point.seconds_median is None:
        return point.status
    if point.status == "extrapolated":
        return f"~{1e3 * point.seconds:,.4g}"
    return f"{1e3 * point.seconds:,.4g} / {1e3 * point.seconds_median:,.4g}"


def _ratio(upper: float | None, lower: float | None) -> float | None:
    return upper / lower if upper is not None and lower is not None and lower > 0 else None


def _number(value: float | None, form: str) -> str:
    return "" if value is None else format(value, form)
