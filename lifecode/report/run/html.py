"""The report of a training run: one HTML file that opens offline, without scripts or links to load."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lifecode.evaluation.metric_rows import MetricRow
from lifecode.evaluation.metrics import MASKED_CODON_CROSS_ENTROPY, NUCLEOTIDES_PER_SECOND, Metric
from lifecode.evaluation.sample import SamplePredictions
from lifecode.host.installed import installed_versions
from lifecode.names import display_name
from lifecode.report.charts.codons.codon_map import codon_map_in_code
from lifecode.report.charts.codons.sample_chart import sample_chart
from lifecode.report.charts.figure_style import plain_settings
from lifecode.report.charts.learning_curves import PANELS, learning_curves
from lifecode.report.page import Drawing, write_page
from lifecode.report.run.census import corpus_counts, model_parts, split_table
from lifecode.report.run.metric_table import Metrics, held_out_metrics, measured, verdict
from lifecode.report.run.sources import SOURCE_HEADINGS, source_rows
from lifecode.report.run.time_breakdown import duration, time_breakdown

PACKAGES = ("lifecode", "torch", "lightning", "numpy")
_STANDARD_CODE = 1
"""By which the codon map is coloured."""
"""Whose versions a page names."""


@plain_settings
def write_report(
    folder: str | Path,
    metrics: Metrics,
    *,
    name: str,
    rows: Sequence[MetricRow] = (),
    codon_embeddings: NDArray[np.floating] | None = None,
    sample: SamplePredictions | None = None,
    config: str = "",
) -> Path:
    """Write `report.html` and `figures/*.png` into a run folder; what was not measured has no place in them.

    Args:
        folder: the run folder, shown as the place to load the model from.
        metrics: the content of `metrics.json`: `split` (its `name`, `genes_left_out`), `heldout`,
            `baselines`, `timing` (`parts` in seconds), `data` (a corpus report, and `teacher` with `name`,
            `proteins`, `proteins_available`, `targets`), `model` (`parts` in parameters), `sources`; each may
            be missing.
        name: of the run.
        rows: of `metrics.csv`.
        codon_embeddings: (64, d), in the order of `lifecode.alphabet.CODONS`.
        sample: what the model says of masked codons of a held-out gene.
        config: the resolved configuration as text.

    Returns:
        The path of `report.html`.

    Raises:
        UserError: if the folder cannot be written to.
    """
    folder = Path(folder)
    data = metrics.get("data") or {}
    content = {
        "kind": "Training run",
        "name": display_name(name, 200),
        "model_folder": (folder / "model").as_posix(),
        "verdict": verdict(metrics),
        "key_figures": key_figures(metrics, NUCLEOTIDES_PER_SECOND),
        "held_out": held_out_metrics(metrics),
        "of": ("genes", "Positions"),
        "loader": "lifecode.LifeCode.from_pretrained",
        "sources": source_rows(metrics),
        "source_headings": SOURCE_HEADINGS,
        "split": (metrics.get("split") or {}).get("name", "held-out"),
        "genes_left_out": (metrics.get("split") or {}).get("genes_left_out", 0),
        "counts": corpus_counts(data),
        "splits": split_table(data),
        "teacher": data.get("teacher"),
        "parts": model_parts(metrics.get("model") or {}),
        "config": config,
        "versions": metrics.get("versions") or installed_versions(*PACKAGES),
    }
    drawings = _drawings(metrics, rows, codon_embeddings, sample)
    return write_page(folder, "report.html.jinja", content, drawings)


def _drawings(
    metrics: Metrics,
    rows: Sequence[MetricRow],
    codon_embeddings: NDArray[np.floating] | None,
    sample: SamplePredictions | None,
) -> dict[str, Drawing]:
    """Figures by file name."""
    figures: dict[str, Drawing] = {}
    if any(row.name in PANELS for row in rows):
        named = MASKED_CODON_CROSS_ENTROPY.baselines
        known = {metric.label: measured(metrics, "baselines", metric.name) for metric in named}
        baselines = {label: value for label, value in known.items() if value is not None}
        figures["learning_curves"] = Drawing(
            learning_curves(rows, {MASKED_CODON_CROSS_ENTROPY.name: baselines}),
            "Learning curves",
            "Training and validation losses and the learning rate of each stage, by step.",
        )
    chart = None if codon_embeddings is None else codon_map_in_code(codon_embeddings, _STANDARD_CODE)
    if chart is not None:
        figures["codon_map"] = Drawing(
            chart,
            "The 64 codons as the model sees them",
            "t-SNE map of the codon embeddings, coloured by the biochemical class of the residue.",
        )
    if sample is not None and np.isfinite(sample.probabilities).all():
        figures["sample_predictions"] = Drawing(
            sample_chart(sample),
            "What the model makes of masked codons",
            "The first masked codons of a held-out gene of median length: the codon that is there, the five "
            "that the model finds most probable, and what it gives the true one. Codon 1 is the start codon.",
        )
    return figures | time_drawing(metrics)


def time_drawing(metrics: Metrics) -> dict[str, Drawing]:
    """`time`, of the parts of a run; nothing where they are not known."""
    parts = _timing(metrics).get("parts")
    if not parts:
        return {}
    told = "; ".join(f"{part.replace('_', ' ')} {duration(seconds)}" for part, seconds in parts.items())
    return {"time": Drawing(time_breakdown(parts), "Where the time went", told)}


def key_figures(metrics: Metrics, speed: Metric) -> list[tuple[str, str]]:
    """Label and value of the numbers at the top; `speed` is the metric of it."""
    timing = {name: value for name, value in _timing(metrics).items() if value is not None}
    figures = []
    if "seconds" in timing:
        figures.append(("time", duration(timing["seconds"])))
    if speed.name in timing:
        figures.append((speed.label, f"{timing[speed.name]:,.0f}"))
    if "peak_memory_bytes" in timing:
        figures.append(("peak memory", f"{timing['peak_memory_bytes'] / 2**30:.1f} GiB"))
    if parts := model_parts(metrics.get("model") or {}):
        figures.append(("parameters", parts[-1].value))
    return figures


def _timing(metrics: Metrics) -> Mapping[str, Any]:
    return metrics.get("timing") or {}
