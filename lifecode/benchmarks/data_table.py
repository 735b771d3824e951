"""The table of `lifecode bench data`, and the ratios that it is about."""

from typing import Any, NamedTuple

from rich.table import Table

from lifecode.benchmarks import genbank_reading, loading, preparation
from lifecode.benchmarks.data_benchmark import DataBenchmark, DataResults
from lifecode.benchmarks.genbank_reading import BIOPYTHON, LIFECODE
from lifecode.benchmarks.loading import LOADER
from lifecode.benchmarks.measurement import Point, reasons, summarise

COLUMNS = (
    "measured",
    "contender",
    "over",
    "s\nmin / median",
    "M nucleotides/s",
    "peak\nMiB",
    "time over\nfirst's",
    "memory over\nfirst's",
)
_MEASURED = {
    genbank_reading.PART: "GenBank to pairs",
    loading.PART: "loader",
    preparation.PART: "prepare",
}


class DataFigures(NamedTuple):
    """Derived from the minimum of one contender at one length; None: not there.

    Attributes:
        nucleotides_per_second: read, delivered or prepared.
        peak_bytes: the most that all its processes held at once, in any call where it was looked at.
        time_ratio: over lifecode's reading, or over the least copies of the same layout.
        memory_ratio: of the peaks of the same two.
    """

    nucleotides_per_second: float | None
    peak_bytes: float | None
    time_ratio: float | None
    memory_ratio: float | None


AllFigures = dict[tuple[str, int, str], DataFigures]
"""By (contender, length, part)."""


def data_figures(benchmark: DataBenchmark, results: DataResults) -> AllFigures:
    """Everything that the table derives, point by point."""
    points = summarise(results.rows)
    peaks = {key: _peak(results, key) for key in points}
    figures: AllFigures = {}
    for (name, length, part), point in points.items():
        first = (name, length, part)
        if part == genbank_reading.PART:
            first = (LIFECODE, length, part)
        elif part == preparation.PART:
            first = (name, benchmark.copies[0], part)
        nucleotides = _nucleotides(benchmark, results, length, part)
        beside = points.get(first)
        figures[name, length, part] = DataFigures(
            _ratio(nucleotides, point.seconds),
            peaks[name, length, part],
            _ratio(point.seconds, beside.seconds if beside else None),
            _ratio(peaks[name, length, part], peaks.get(first)),
        )
    return figures


def data_table(benchmark: DataBenchmark, results: DataResults) -> Table:
    """One row a contender and length; ratios are over the first row of a kind."""
    table = Table(title=f"Corpora, {benchmark.genome.name}", title_justify="left")
    for column in COLUMNS:
        table.add_column(column, justify="left" if column in COLUMNS[:2] else "right")
    figures, last = data_figures(benchmark, results), None
    for (name, length, part), point in summarise(results.rows).items():
        if last not in (None, part):
            table.add_section()
        last = part
        own = figures[name, length, part]
        table.add_row(
            _MEASURED[part],
            name,
            _over(length, part),
            _seconds(point),
            _number(_ratio(own.nucleotides_per_second, 1e6), ".3g"),
            _number(_ratio(own.peak_bytes, 2**20), ",.0f"),
            _number(own.time_ratio, ".2f"),
            _number(own.memory_ratio, ".2f"),
        )
    return table


def data_lines(benchmark: DataBenchmark, results: DataResults) -> list[str]:
    """What stands under the table: the ratios in words, and why something is missing."""
    figures, counts = data_figures(benchmark, results), results.counts
    lines = [
        f"Rounds: {benchmark.repeats}. Ratios are of the minima. Both readings find {counts.pairs:,} exact "
        f"pairs in {counts.cds:,} CDS."
    ]
    for (name, length, part), own in figures.items():
        if name == BIOPYTHON and own.time_ratio:
            lines.append(f"GenBank to pairs: {own.time_ratio:.2f} times as fast as Biopython's SeqIO")
        elif name == LOADER and own.nucleotides_per_second:
            filled = results.facts[name, length]["filled"]
            lines.append(
                f"Loader at {length:,} codons: {own.nucleotides_per_second / 1e6:.2f} M nucleotides/s on one "
                f"core, rows {filled:.2%} full"
            )
        elif part == preparation.PART and length != benchmark.copies[0] and own.time_ratio:
            memory = "" if own.memory_ratio is None else f", {own.memory_ratio:.2f} times the memory"
            lines.append(
                f"Preparing {length:,} copies over {benchmark.copies[0]:,} as {name}: "
                f"{own.time_ratio:.2f} times as long{memory}"
            )
    return lines + reasons(results.rows)


def data_description(benchmark: DataBenchmark, results: DataResults) -> list[dict[str, Any]]:
    """Facts and derived figures as records for `benchmark.json`."""
    return [
        {"contender": name, "length": length, "part": part}
        | results.facts.get((name, length), {})
        | figures._asdict()
        for (name, length, part), figures in data_figures(benchmark, results).items()
    ]


def _nucleotides(benchmark: DataBenchmark, results: DataResults, length: int, part: str) -> int:
    """Nucleotides of one call."""
    if part == loading.PART:
        return benchmark.loader_nucleotides
    return results.counts.nucleotides * (length if part == preparation.PART else 1)


def _peak(results: DataResults, key: tuple[str, int, str]) -> float | None:
    peaks = [
        row.peak_bytes
        for row in results.rows
        if (row.contender, row.length, row.part) == key and row.peak_bytes is not None
    ]
    return max(peaks, default=None)


def _over(length: int, part: str) -> str:
    units = {genbank_reading.PART: "nucleotides", loading.PART: "codons a row"}
    return f"{length:,} {units.get(part, 'copy' if length == 1 else 'copies')}"


def _seconds(point: Point) -> str:
    if point.seconds is None or point.seconds_median is None:
        return point.status
    return f"{point.seconds:.3g} / {point.seconds_median:.3g}"


def _ratio(upper: float | None, lower: float | None) -> float | None:
    return upper / lower if upper is not None and lower else None


def _number(value: float | None, form: str) -> str:
    return "" if value is None else format(value, form)
