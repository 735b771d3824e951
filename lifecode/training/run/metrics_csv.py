"""metrics.csv: one row a figure, `step,stage,split,name,value`, for both stages of a run."""

import csv
import io
import logging
import os
from pathlib import Path
from typing import Any

from lightning.pytorch.loggers import Logger
from lightning.pytorch.utilities import rank_zero_only

from lifecode.evaluation.metric_rows import MetricRow, read_whole_metric_rows
from lifecode.host.durable import disk_faults_named, replacing

logger = logging.getLogger(__name__)


class MetricsCsv(Logger):
    """Appends what the stages log to metrics.csv.

    Args:
        path: of the file.

    Raises:
        UserError: the file cannot be read or written.
    """

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.path = path
        self._validated: set[tuple[int, str, str, str]] = set()

    def drop_from(self, stage: str, first_step: int) -> None:
        """Drops rows of a stage that a run left which was killed after its last checkpoint.

        So no step appears twice. So does a line go that a kill or a full disk cut short. `first_step` is the
        first that is yet to be trained.
        """
        rows, damaged = read_whole_metric_rows(self.path) if self.path.exists() else ([], [])
        if damaged:
            lines = ", ".join(map(str, damaged))
            logger.warning("%s: left out line %s, which is no row", self.path, lines)
        kept = [row for row in rows if row.stage != stage or row.step < first_step]
        self._validated = {row[:-1] for row in kept if row.stage == stage and row.split == "validation"}
        with disk_faults_named(self.path), replacing(self.path) as file:
            file.write(_lines([MetricRow._fields, *((*row[:-1], _written(row.value)) for row in kept)]))

    @property
    def name(self) -> str:
        """Name of the logger."""
        return "metrics"

    @property
    def version(self) -> str:
        """Version of the logger."""
        return ""

    @rank_zero_only
    def log_hyperparams(self, params: Any, *args: Any, **kwargs: Any) -> None:
        """Hyperparameters stand in config.yaml, not here."""

    @rank_zero_only
    def log_metrics(self, metrics: dict[str, float], step: int | None = None) -> None:
        """Appends `{"stage/split/name": value}` of one step; Lightning's own figures have no such name.

        A validation that is done again, as after a kill within it, gives the figures that are there.
        """
        rows = []
        for key, value in metrics.items():
            if key.count("/") == 2 and (step, *key.split("/")) not in self._validated:
                rows.append((step, *key.split("/"), _written(value)))
        with disk_faults_named(self.path), self.path.open("ab") as file:
            file.write(_lines(rows))

    @rank_zero_only
    def force_to_disk(self) -> None:
        """Returns once every row written so far would outlast a power cut."""
        with disk_faults_named(self.path), self.path.open("ab") as file:
            os.fsync(file.fileno())


def _written(value: float) -> str:
    return f"{float(value):.8g}"


def _lines(rows: list[Any]) -> bytes:
    text = io.StringIO(newline="")
    csv.writer(text).writerows(rows)
    return text.getvalue().encode()
