"""The runs under a folder, finished or not, as their run folders tell."""

import os
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Literal, NamedTuple

from lifecode.errors import UserError
from lifecode.evaluation.metric_rows import MetricRow, read_whole_metric_rows
from lifecode.names import display_name
from lifecode.report.run.run_files import read_provenance, read_run_metrics, require_config_values
from lifecode.training.run.run_config import parse_run_config
from lifecode.training.run.run_folder import PROVENANCE, config_leaves

_LONGEST_NOTE = 300
Status = Literal["finished", "unfinished", "unreadable"]


class Run(NamedTuple):
    """One run folder.

    Attributes:
        folder: of the run.
        status: `finished` if its model was evaluated after its last step.
        note: where an unfinished run stands, or why one cannot be read.
        config: every leaf of config.yaml by its dotted key.
        metrics: the content of metrics.json; empty if the run is not finished.
        rows: of metrics.csv.
        provenance: the content of provenance.json; empty if there is none.
    """

    folder: Path
    status: Status
    note: str
    config: Mapping[str, Any]
    metrics: Mapping[str, Any]
    rows: Sequence[MetricRow]
    provenance: Mapping[str, Any]

    @property
    def seed(self) -> Any:
        """Of the weights, the masks, the order and the split."""
        return self.config.get("seed")


def find_runs(folders: Sequence[Path]) -> list[Run]:
    """Every run under the folders, in the order of their paths.

    Raises:
        UserError: a folder is not there, is a run itself, or holds no run.
    """
    runs: list[Run] = []
    for folder in folders:
        if not folder.is_dir():
            raise UserError(
                "there is no such folder",
                source=folder,
                remedy="Give the folder that a sweep, lifecode train -m, has left",
            )
        if (folder / "config.yaml").exists():
            raise UserError(
                "is one run, not a folder of runs",
                source=folder,
                remedy=f"Its report is {folder / 'report.html'}; give the folder of a sweep, or its parent",
            )
        own = [_read(path) for path in _run_folders(folder)]
        if not own:
            raise UserError(
                "holds no run",
                source=folder,
                remedy="Give the folder in which `lifecode train -m ...` left its runs",
            )
        runs += own
    return list({run.folder.resolve(): run for run in runs}.values())


def _run_folders(folder: Path) -> Iterator[Path]:
    for path, folders, files in os.walk(folder):
        folders.sort()
        if "config.yaml" in files:
            folders.clear()  # nothing inside a run is another run
            yield Path(path)


def _read(folder: Path) -> Run:
    config: dict[str, Any] = {}
    try:
        config = config_leaves(parse_run_config(folder / "config.yaml"))
        require_config_values(config)
        rows = _rows(folder / "metrics.csv")
        metrics = read_run_metrics(folder / "metrics.json")
        provenance = read_provenance(folder / PROVENANCE)
        status, note = _status(config, metrics, rows)
    except (OSError, ValueError, KeyError) as error:
        return Run(folder, "unreadable", display_name(error, _LONGEST_NOTE), {}, {}, [], {})
    return Run(folder, status, note, config, metrics if status == "finished" else {}, rows, provenance)


def _rows(path: Path) -> list[MetricRow]:
    """The rows of a metrics.csv but for a line that a kill has cut short."""
    return read_whole_metric_rows(path)[0] if path.exists() else []


def _status(
    config: Mapping[str, Any], metrics: Mapping[str, Any], rows: Sequence[MetricRow]
) -> tuple[Status, str]:
    """Rows are numbered from 0, so those of a run that was evaluated lie below its number of steps."""
    last = {row.stage: row.step + 1 for row in rows if row.split == "train"}
    if metrics and last.get("encoder", 0) <= metrics["model"]["encoder_steps"]:
        return "finished", ""
    if not last:
        return "unfinished", "no step was logged"
    stage = "encoder" if "encoder" in last else "tokenizer"
    steps = [config.get(f"optim.{stage}.total_steps"), config.get("trainer.max_steps")]
    planned = min((step for step in steps if step is not None), default=None)
    return "unfinished", f"{stage}, step {last[stage]:,} of {'?' if planned is None else f'{planned:,}'}"
