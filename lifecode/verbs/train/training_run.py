"""A run folder in Python: what was logged, what the model reached, and the model."""

import json
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lifecode.arguments import arguments_checked
from lifecode.errors import UserError
from lifecode.evaluation.metric_rows import MetricRow, read_whole_metric_rows
from lifecode.host.small_file import read_small_text
from lifecode.models.families import load
from lifecode.models.life_code.model import LifeCode

if TYPE_CHECKING:
    from pandas import DataFrame


class TrainingRun:
    """The folder of a run of `lifecode train`, finished or not; tables are pandas frames.

    Args:
        folder: the `run_dir` of the run; nothing of it is read before it is asked for.
    """

    @arguments_checked
    def __init__(self, folder: str | Path) -> None:
        self.folder = Path(folder).expanduser().absolute()

    def __repr__(self) -> str:
        return f"TrainingRun({str(self.folder)!r})"

    @property
    def metrics(self) -> "DataFrame":
        """Every logged value, as in metrics.csv: columns step, stage, split, name and value.

        Raises:
            UserError: nothing was logged yet.
        """
        from pandas import DataFrame

        rows = read_whole_metric_rows(self.folder / "metrics.csv")[0]
        return DataFrame(rows, columns=list(MetricRow._fields))

    @property
    def held_out(self) -> "DataFrame":
        """Figures on genes that the model never saw, and those of its baselines.

        Columns: `of` (`model` or `baseline`), `name`, `value` and `n`, over how many positions.

        Raises:
            UserError: the run is not finished.
        """
        from pandas import DataFrame

        figures = self._reached()
        return DataFrame(
            {"of": of, "name": name, **figure}
            for key, of in (("heldout", "model"), ("baselines", "baseline"))
            for name, figure in figures[key].items()
        )

    @property
    def page(self) -> Path:
        """Path of report.html, which a finished run has."""
        return self.folder / "report.html"

    @cached_property
    def model(self) -> LifeCode:
        """The trained model, in evaluation mode.

        Raises:
            UserError: the run is not finished, or a file was changed.
        """
        return load(self.folder / "model")

    def _reached(self) -> dict[str, Any]:
        try:
            return json.loads(read_small_text(self.folder / "metrics.json"))
        except FileNotFoundError as missing:
            raise UserError(
                "the run is not finished", source=self.folder, remedy="Start it again, and it goes on"
            ) from missing
        except (OSError, ValueError) as fault:
            raise UserError(f"cannot be read ({fault})", source=self.folder / "metrics.json") from fault
