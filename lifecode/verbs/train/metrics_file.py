"""metrics.json of a finished run of any family: written, looked at, and the parts that all of them have."""

import json
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from lifecode.evaluation.masked_genes import HeldOut
from lifecode.evaluation.metric_rows import read_whole_metric_rows
from lifecode.evaluation.metrics import Metric
from lifecode.evaluation.tally import Mean
from lifecode.host.durable import disk_faults_named, replacing
from lifecode.host.small_file import read_small_text
from lifecode.models.pretrained import read_config
from lifecode.training.run.run_folder import RunFolder, peak_memory_bytes


def figures(of: Mapping[str, Mean]) -> dict[str, dict[str, float]]:
    """Held-out figures, as metrics.json has them."""
    return {name: figure._asdict() for name, figure in of.items()}


def timing(folder: RunFolder, speed: Metric) -> dict[str, Any]:
    """Seconds of the run and of its parts, peak memory, and the median of a speed in the encoder stage."""
    speeds = sorted(
        row.value
        for row in read_whole_metric_rows(folder.path / "metrics.csv")[0]
        if row.name == speed.name and row.stage == "encoder"
    )
    parts = folder.seconds()
    return {
        "seconds": sum(parts.values()),
        speed.name: speeds[len(speeds) // 2] if speeds else None,
        "peak_memory_bytes": peak_memory_bytes(),
        "parts": parts,
    }


def is_reported(folder: Path, encoder_steps: int, masks: HeldOut | None = None) -> bool:
    """Whether metrics.json is about the model of this many steps, evaluated with these masks if any.

    The model and the report must be there too, the model as its checksums say.
    """
    try:
        read_config(folder / "model")
        metrics = json.loads(read_small_text(folder / "metrics.json"))
        same_steps = metrics["model"]["encoder_steps"] == encoder_steps
        same_masks = masks is None or metrics["split"]["masks"] == asdict(masks)
        return same_steps and same_masks and (folder / "report.html").exists()
    except (OSError, ValueError, KeyError, TypeError, RecursionError):  # not there yet, or damaged
        return False


def write_metrics(folder: Path, metrics: dict[str, Any]) -> None:
    """Writes metrics.json, whole or not at all."""
    path = folder / "metrics.json"
    with disk_faults_named(path), replacing(path) as file:
        file.write((json.dumps(metrics, indent=2) + "\n").encode())
