"""What a finished run reached: metrics.json, and the table on the terminal."""

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any, NamedTuple

import torch

from lifecode.data.corpus.corpus import Corpus
from lifecode.evaluation.evaluate import SPLIT, Evaluation
from lifecode.evaluation.masked_genes import HeldOut
from lifecode.evaluation.metric_rows import read_whole_metric_rows
from lifecode.evaluation.metrics import NUCLEOTIDES_PER_SECOND
from lifecode.evaluation.tally import Mean
from lifecode.host.durable import disk_faults_named, replacing
from lifecode.host.small_file import read_small_text
from lifecode.models.layers.mixers import mixers_of
from lifecode.models.life_code.model import LifeCode
from lifecode.models.parts import parameters_by_part
from lifecode.models.pretrained import read_config
from lifecode.report.run.metric_table import held_out_metrics
from lifecode.report.run.sources import SOURCE_HEADINGS, source_rows
from lifecode.training.run.run_folder import RunFolder, peak_memory_bytes
from lifecode.verbs.train.life_code.teacher import Teaching

METRICS_SCHEMA_VERSION = 1


class Outcome(NamedTuple):
    """A trained model with its held-out figures.

    Attributes:
        model: after stage 2.
        encoder_steps: steps of stage 2 that it has done.
        corpus: it was trained and evaluated on.
        teaching: what the teacher said, or None.
        settings: how the held-out genes were masked.
        evaluation: its figures, and those of the baselines.
        genes_left_out: held-out genes that it saw the like of before this run.
    """

    model: LifeCode
    encoder_steps: int
    corpus: Corpus
    teaching: Teaching | None
    settings: HeldOut
    evaluation: Evaluation
    genes_left_out: int


def run_metrics(outcome: Outcome, folder: RunFolder, *, split: dict[str, Any]) -> dict[str, Any]:
    """The content of metrics.json; `split` is how the corpus was divided."""
    speeds = [
        row.value
        for row in read_whole_metric_rows(folder.path / "metrics.csv")[0]
        if row.name == NUCLEOTIDES_PER_SECOND.name and row.stage == "encoder"
    ]
    parts = folder.seconds()
    return {
        "schema_version": METRICS_SCHEMA_VERSION,
        "split": {
            "name": SPLIT,
            **split,
            "masks": asdict(outcome.settings),
            "genes_left_out": outcome.genes_left_out,
        },
        "data": {**outcome.corpus.report, **_teacher(outcome)},
        "model": {
            "parts": parameters_by_part(outcome.model),
            "layers": mixers_of(outcome.model.encoder),
            "config": outcome.model.config,
            "encoder_steps": outcome.encoder_steps,
            "threads": torch.get_num_threads(),
        },
        "heldout": _figures(outcome.evaluation.heldout),
        "baselines": _figures(outcome.evaluation.baselines),
        "sources": {
            name: {
                "genes": source.num_genes,
                "back_translated": source.back_translated,
                "heldout": _figures(source.heldout),
                "baselines": _figures(source.baselines),
            }
            for name, source in outcome.evaluation.sources.items()
        },
        "timing": {
            "seconds": sum(parts.values()),
            NUCLEOTIDES_PER_SECOND.name: sorted(speeds)[len(speeds) // 2] if speeds else None,
            "peak_memory_bytes": peak_memory_bytes(),
            "parts": parts,
        },
    }


def _figures(figures: dict[str, Mean]) -> dict[str, dict[str, float]]:
    return {name: figure._asdict() for name, figure in figures.items()}


def _teacher(outcome: Outcome) -> dict[str, Any]:
    """Which teacher read how many of the distinct proteins, and what training saw of it."""
    if outcome.teaching is None:
        return {}
    features, arm, _ = outcome.teaching
    tables = [outcome.corpus.segments("cds", split) for split in ("train", SPLIT)]
    distinct = {table.protein(i) for table in tables for i in range(len(table))}
    teacher = {"name": features.name, "targets": arm, "proteins": len(features)}
    return {"teacher": {**teacher, "proteins_available": len(distinct)}}


def held_out_table(metrics: dict[str, Any]) -> str:
    """The held-out figures, each above what it is compared with."""
    lines = [f"\nHeld-out genes ({metrics['split']['name']} split)"]
    for row in held_out_metrics(metrics):
        lines.append(f"  {row.label:<40} {row.value:>12}")
        for beside in row.comparisons:
            lines.append(f"    {beside.baseline:<38} {beside.baseline_value:>12}   {beside.difference}")
    for row in source_rows(metrics):
        lines.append(f"  {row.label} ({row.explanation})")
        lines += [
            f"    {heading:<38} {number:>12}"
            for heading, number in zip(SOURCE_HEADINGS, row.numbers, strict=True)
        ]
    return "\n".join(lines)


def is_reported(folder: Path, encoder_steps: int, settings: HeldOut) -> bool:
    """Whether metrics.json is about the model of this many steps, evaluated with these settings.

    The model and the report must be there too, the model as its checksums say.
    """
    try:
        read_config(folder / "model")
        metrics = json.loads(read_small_text(folder / "metrics.json"))
        same_steps = metrics["model"]["encoder_steps"] == encoder_steps
        same_masks = metrics["split"]["masks"] == asdict(settings)
        return same_steps and same_masks and (folder / "report.html").exists()
    except (OSError, ValueError, KeyError, TypeError, RecursionError):  # not there yet, or damaged
        return False


def write_metrics(folder: Path, metrics: dict[str, Any]) -> None:
    """Writes metrics.json, whole or not at all."""
    path = folder / "metrics.json"
    with disk_faults_named(path), replacing(path) as file:
        file.write((json.dumps(metrics, indent=2) + "\n").encode())
