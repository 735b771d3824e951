"""What a finished run reached: metrics.json, and the table on the terminal."""

from dataclasses import asdict
from typing import Any, NamedTuple

import torch

from lifecode.data.corpus.corpus import Corpus
from lifecode.evaluation.evaluate import SPLIT, Evaluation
from lifecode.evaluation.masked_genes import HeldOut
from lifecode.evaluation.metrics import NUCLEOTIDES_PER_SECOND
from lifecode.models.layers.mixers import mixers_of
from lifecode.models.life_code.model import LifeCode
from lifecode.models.parts import parameters_by_part
from lifecode.report.run.metric_table import held_out_metrics
from lifecode.report.run.sources import SOURCE_HEADINGS, source_rows
from lifecode.training.run.run_folder import RunFolder
from lifecode.verbs.train.life_code.teacher import Teaching
from lifecode.verbs.train.metrics_file import figures, timing

_METRICS_SCHEMA_VERSION = 1


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
    return {
        "schema_version": _METRICS_SCHEMA_VERSION,
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
        "heldout": figures(outcome.evaluation.heldout),
        "baselines": figures(outcome.evaluation.baselines),
        "sources": {
            name: {
                "genes": source.num_genes,
                "back_translated": source.back_translated,
                "heldout": figures(source.heldout),
                "baselines": figures(source.baselines),
            }
            for name, source in outcome.evaluation.sources.items()
        },
        "timing": timing(folder, NUCLEOTIDES_PER_SECOND),
    }


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
