"""What a benchmark leaves: every raw figure as a row of a CSV file, and points summed up from them."""

import csv
import io
import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from statistics import median
from typing import Any, Literal, NamedTuple

from lifecode.data.durable import disk_faults_named, replacing, require_writable
from lifecode.errors import UserError

Status = Literal["warm-up", "measured", "extrapolated", "failed", "left out", "interrupted"]


@dataclass(frozen=True, slots=True)
class Measurement:
    """One row of `measurements.csv`.

    Attributes:
        contender: its name.
        length: positions, or nucleotides, of a sequence; of a corpus, see `data_benchmark`.
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
        note: why it was not measured.
    """

    status: Status
    seconds: float | None
    seconds_median: float | None
    extra_bytes: float | None
    note: str


Points = dict[tuple[str, int, str], Point]
"""By (contender, length, part)."""


def summarise(rows: Iterable[Measurement]) -> Points:
    """The points of all rows."""
    groups: dict[tuple[str, int, str], list[Measurement]] = {}
    for row in rows:
        groups.setdefault((row.contender, row.length, row.part), []).append(row)
    return {key: _point(group) for key, group in groups.items()}


def _point(rows: Sequence[Measurement]) -> Point:
    last = rows[-1]
    if last.status == "failed":
        return Point("failed", None, None, None, last.note)
    seconds = [row.seconds for row in rows if row.status != "warm-up" and row.seconds is not None]
    memory = [row.extra_bytes for row in rows if row.extra_bytes is not None]
    return Point(
        last.status,
        min(seconds) if seconds else None,
        median(seconds) if seconds else None,
        max(memory) if memory else None,
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


def make_folder(path: str | Path) -> Path:
    """The folder of the results; made before anything is measured.

    Raises:
        UserError: there is a file of this name.
    """
    folder = Path(path).expanduser()
    if folder.exists() and not folder.is_dir():
        raise UserError("is a file, not a folder", source=folder, remedy="Choose another output")
    try:
        folder.mkdir(parents=True, exist_ok=True)
        require_writable(folder)
    except OSError as fault:
        raise UserError(
            f"cannot be written ({fault.strerror or fault})", source=folder, remedy="Choose another output"
        ) from fault
    return folder


def write_measurements(folder: Path, rows: Iterable[Measurement], description: dict[str, Any]) -> None:
    """Writes `measurements.csv`, one row a call, and `benchmark.json` with the description."""
    table = io.StringIO(newline="")
    writer = csv.DictWriter(table, [field.name for field in fields(Measurement)])
    writer.writeheader()
    writer.writerows(asdict(row) for row in rows)
    description_text = json.dumps(description, indent=2) + "\n"
    for name, text in (("measurements.csv", table.getvalue()), ("benchmark.json", description_text)):
        with disk_faults_named(folder / name), replacing(folder / name) as file:
            file.write(text.encode())


def described(points: Points) -> list[dict[str, Any]]:
    """The points as records for `benchmark.json`."""
    names = ("contender", "length", "part")
    return [dict(zip(names, key, strict=True)) | point._asdict() for key, point in points.items()]
