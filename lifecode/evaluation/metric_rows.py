"""`metrics.csv`, the record of a training run: one number per line."""

import csv
from pathlib import Path
from typing import NamedTuple

from lifecode.errors import UserError

_MOST_STEPS = 1 << 53


class MetricRow(NamedTuple):
    """One line of `metrics.csv`: `stage` is tokenizer or encoder, `split` train or validation."""

    step: int
    stage: str
    split: str
    name: str
    value: float


def read_whole_metric_rows(path: str | Path) -> tuple[list[MetricRow], list[int]]:
    """The lines of a `metrics.csv` that are rows, in order, and the numbers of those that are not.

    A line without an end is no row: its value may have lost digits.

    Raises:
        UserError: if the file cannot be read.
    """
    try:
        text = Path(path).read_bytes().decode(errors="replace")
    except OSError as error:
        raise UserError(f"cannot read the metrics: {error.strerror}", source=path) from error
    lines = text.split("\n")
    rows, damaged = [], []
    for number, line in enumerate(lines[1:-1], start=2):
        try:
            (fields,) = csv.reader([line.removesuffix("\r")])
            step, stage, split, name, value = fields
            row = MetricRow(int(step), stage, split, name, float(value))
            if not 0 <= row.step < _MOST_STEPS:
                raise ValueError
            rows.append(row)
        except (ValueError, csv.Error):
            damaged.append(number)
    header = lines[0].removesuffix("\r").split(",")
    damaged = [1] * (tuple(header) != MetricRow._fields) + damaged
    return rows, damaged + [len(lines)] * (len(lines) > 1 and lines[-1] != "")
