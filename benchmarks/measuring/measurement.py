"""Every raw figure as a row, the points summed up from the rows, and what is derived from the points."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Any, Literal, NamedTuple

from rich.table import Table

Status = Literal["warm-up", "measured", "extrapolated", "failed", "left out", "interrupted"]


@dataclass(frozen=True, slots=True)
class Measurement:
    """One row of `measurements.csv`.

    Attributes:
        contender: its name.
        length: positions, or nucleotides, of a sequence; of a corpus, see `data`.
        part: what was timed.
        round: 0 is the warm-up call.
        status: `measured` and `warm-up` rows were timed; `extrapolated` ones follow from shorter lengths.
        seconds: wall-clock time, None where there is none.
        extra_bytes: peak memory beyond what was held before the call; of the warm-up only, which starts from
            trimmed memory.
        peak_bytes: that peak itself.
        note: why it was not measured.
    """

    contender: str
    length: int
    part: str
    round: int
    status: Status
    seconds: float | None = None
    extra_bytes: float | None = None
    peak_bytes: float | None = None
    note: str = ""


class Point(NamedTuple):
    """All rounds of one contender, length and part.

    Attributes:
        status: of the point; a failure in any round is the point's.
        seconds: the least over the rounds (the warm-up apart), or the extrapolated value.
        seconds_median: over the same rounds.
        extra_bytes: of the warm-up, or the extrapolated value.
        peak_bytes: the most in any round where it was looked at.
        note: why it was not measured.
    """

    status: Status
    seconds: float | None = None
    seconds_median: float | None = None
    extra_bytes: float | None = None
    peak_bytes: float | None = None
    note: str = ""


Key = tuple[str, int, str]
"""(contender, length, part)."""
Points = dict[Key, Point]
Record = dict[str, Any]
"""A point with its key, the facts about its input and the figures derived from it, as in `benchmark.json`."""


def summarise(rows: Iterable[Measurement]) -> Points:
    """The points of all rows."""
    groups: dict[Key, list[Measurement]] = {}
    for row in rows:
        groups.setdefault((row.contender, row.length, row.part), []).append(row)
    return {key: _point(group) for key, group in groups.items()}


def _point(rows: Sequence[Measurement]) -> Point:
    last = rows[-1]
    if last.status == "failed":
        return Point("failed", note=last.note)
    seconds = [row.seconds for row in rows if row.status != "warm-up" and row.seconds is not None]
    extra = [row.extra_bytes for row in rows if row.extra_bytes is not None]
    peak = [row.peak_bytes for row in rows if row.peak_bytes is not None]
    return Point(
        last.status,
        min(seconds, default=None),
        median(seconds) if seconds else None,
        max(extra, default=None),
        max(peak, default=None),
        last.note,
    )


def reasons(rows: Iterable[Measurement]) -> list[str]:
    """One line for each contender and reason why something was not measured, with the lengths."""
    lengths: dict[tuple[str, str, Status], list[int]] = {}
    for row in rows:
        if row.note:
            known = lengths.setdefault((row.contender, row.note, row.status), [])
            known += [row.length] if row.length not in known else []
    return [
        f"{contender} left out: {note}"
        if status == "left out"
        else f"{contender} at {', '.join(f'{length:,}' for length in known)} {status}: {note}"
        for (contender, note, status), known in lengths.items()
    ]


def records(
    points: Points, facts: Mapping[tuple[str, int], Mapping[str, float]], figures: Callable[[Key], Record]
) -> list[Record]:
    """Every point as one record; `facts` are by (contender, length)."""
    return [
        {"contender": key[0], "length": key[1], "part": key[2]}
        | point._asdict()
        | dict(facts.get(key[:2], {}))
        | figures(key)
        for key, point in points.items()
    ]


def ratio(upper: float | None, lower: float | None) -> float | None:
    """One over the other, None unless both are there."""
    return upper / lower if upper is not None and lower else None


class Column(NamedTuple):
    """Of a table: its heading, the figure below it, what that is multiplied by, and how it is written.

    The figure `time` is the least and the median of the seconds, or why there are none.
    """

    heading: str
    figure: str
    scale: float = 1
    form: str = ""


def table(title: str, columns: Sequence[Column], of: Iterable[Record], section: str) -> Table:
    """A row for each record, with a line where the figure `section` changes; missing figures stay empty."""
    drawn, before = Table(title=title, title_justify="left"), None
    for column in columns:
        drawn.add_column(
            column.heading, justify="right" if column.form or column.figure == "time" else "left"
        )
    for record in of:
        if before not in (None, record[section]):
            drawn.add_section()
        before = record[section]
        drawn.add_row(*(_cell(column, record) for column in columns))
    return drawn


def _cell(column: Column, record: Record) -> str:
    if column.figure == "time":
        return _time(record, column.scale)
    value = record.get(column.figure)
    if value is None:
        return ""
    return format(value * column.scale, column.form) if column.form else str(value)


def _time(record: Record, scale: float) -> str:
    """`12.3 / 12.9`, `~12.3`, or the status of a point without a time."""
    if record["seconds"] is None:
        return record["status"]
    least, middle = (f"{scale * record[name]:,.4g}" for name in ("seconds", "seconds_median"))
    return f"~{least}" if record["status"] == "extrapolated" else f"{least} / {middle}"
