"""`metrics.csv`, the record of a training run: one number a line."""

import csv
from pathlib import Path
from typing import NamedTuple

from lifecode.errors import UserError


class MetricRow(NamedTuple):
    """One line of `metrics.csv`: `stage` is tokenizer or encoder, `split` train or validation."""

    step: int
    stage: str
    split: str
    name: str
    value: float


def read_metric_rows(path: str | Path) -> list[MetricRow]:
    """The lines of a `metrics.csv` in order.

    Raises:
        UserError: if the file cannot be read, or at the first line that is no row, with its number.
    """
    try:
        with Path(path).open(newline="") as file:
            lines = list(csv.DictReader(file))
    except OSError as error:
        raise UserError(f"cannot read the metrics: {error.strerror}", source=path) from error
    rows = []
    for number, line in enumerate(lines, start=2):
        try:
            row = MetricRow(
                int(line["step"]), line["stage"], line["split"], line["name"], float(line["value"])
            )
        except (KeyError, TypeError, ValueError) as error:
            raise UserError(
                f"line {number} has no step, stage, split, name and value",
                source=path,
                remedy="Use the metrics.csv of a run folder",
            ) from error
        rows.append(row)
    return rows
