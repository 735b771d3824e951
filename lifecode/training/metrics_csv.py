"""metrics.csv: one row a figure, `step,stage,split,name,value`, for both stages of a run."""

import csv
from pathlib import Path
from typing import Any

from lightning.pytorch.loggers import Logger
from lightning.pytorch.utilities import rank_zero_only

from lifecode.evaluation.metric_rows import MetricRow, read_metric_rows


class MetricsCsv(Logger):
    """Appends what a stage logs to metrics.csv.

    Args:
        path: of the file.
        stage: that is about to train.
    """

    def __init__(self, path: Path, *, stage: str) -> None:
        super().__init__()
        self.path, self.stage = path, stage

    def drop_from(self, first_step: int) -> None:
        """Drops rows of the stage that a run left which was killed after its last checkpoint.

        So no step appears twice. `first_step` is the first that is yet to be trained.
        """
        rows = read_metric_rows(self.path) if self.path.exists() else []
        kept = [row for row in rows if row.stage != self.stage or row.step < first_step]
        temporary = self.path.with_suffix(".tmp")
        with temporary.open("w", newline="") as file:
            csv.writer(file).writerows([MetricRow._fields, *kept])
        temporary.replace(self.path)

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
        """Appends `{"split/name": value}` of one step."""
        with self.path.open("a", newline="") as file:
            for key, value in metrics.items():
                if "/" in key:
                    split, name = key.split("/", 1)
                    csv.writer(file).writerow([step, self.stage, split, name, f"{float(value):.8g}"])
