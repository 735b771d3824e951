"""The page of a task: `report.html` beside its metrics, with its figures."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from lifecode.evaluation.metrics import metric_named
from lifecode.host.installed import installed_versions
from lifecode.names import display_name
from lifecode.report.charts.figure_style import plain_settings
from lifecode.report.charts.predictions.class_charts import calibration, confusion_matrix, ranking_curves
from lifecode.report.charts.predictions.contest_charts import figures_of_all, tuning_curves
from lifecode.report.charts.predictions.value_charts import residual_charts
from lifecode.report.page import Drawing, write_page
from lifecode.report.task.tables import leak_lines, model_rows, seed_rows, verdict, worst_errors
from lifecode.tasks.evidence import Evidence

PACKAGES = ("lifecode", "torch", "numpy", "scikit-learn")
_MOST_RIVALS = 4


@plain_settings
def write_task_report(
    folder: str | Path,
    metrics: Mapping[str, Any],
    evidence: Evidence,
    *,
    name: str,
    notes: list[str],
    config: str = "",
) -> Path:
    """Write `report.html` and `figures/*.png`.

    Args:
        folder: of the run.
        metrics: the content of its metrics.json.
        evidence: predictions of the held-out examples.
        name: title.
        notes: what was found, a line each.
        config: the resolved configuration as text.

    Returns:
        The path of `report.html`.

    Raises:
        UserError: the folder cannot be written to.
    """
    headings, rows = model_rows(metrics)
    seed_headings, by_seed = seed_rows(metrics)
    content = {
        "kind": "Task",
        "name": display_name(name, 200),
        "verdict": verdict(metrics),
        "key_figures": _key_figures(metrics, evidence),
        "split": metrics["split"]["kind"],
        "headings": headings,
        "compared": metric_named(metrics["metric"]).label,
        "rows": rows,
        "seed_headings": seed_headings,
        "by_seed": by_seed,
        "errors": worst_errors(evidence),
        "leaks": leak_lines(metrics["leaks"]),
        "warnings": metrics.get("warnings", []),
        "notes": [note for note in notes if note not in metrics.get("warnings", [])],
        "config": config,
        "versions": installed_versions(*PACKAGES),
    }
    return write_page(Path(folder), "task.html.jinja", content, _drawings(metrics, evidence))


def _key_figures(metrics: Mapping[str, Any], evidence: Evidence) -> list[tuple[str, str]]:
    test = list(metrics["test"].items())[:3]
    figures = [(metric_named(name).label, f"{figure['mean']:.3f}") for name, figure in test]
    rounds = len(metrics["split"]["held_out"])
    return [*figures, ("held-out examples", f"{len(evidence.labels):,}"), ("rounds", f"{rounds:,}")]


def _drawings(metrics: Mapping[str, Any], evidence: Evidence) -> dict[str, Drawing]:
    name = metrics["metric"]
    label = metric_named(name).label
    values = {metrics["encoder"]: metrics["test"][name]["values"]}
    values |= {model: figures[name]["values"] for model, figures in metrics["baselines"].items()}
    roles = dict.fromkeys(values, "baseline") | {metrics["encoder"]: "model"}
    for model, figures in metrics["published"].items():
        if name in figures:
            values[f"{model} (published)"], roles[f"{model} (published)"] = [figures[name]], "published"
    found = {
        "all_models": Drawing(
            figures_of_all(values, roles, label),
            "Every model",
            f"{label} of each model and baseline, a dot for each round, their mean as a bar",
        )
    }
    if curves := [epochs for epochs in metrics.get("learning_curves") or [] if epochs]:
        found["learning_curves"] = Drawing(
            tuning_curves(curves), "Learning curves", "Training and validation loss by step, a line a round"
        )
    if not evidence.classes:
        found["residuals"] = Drawing(
            residual_charts(evidence.labels.astype(np.float64), evidence.ours, evidence.of.transform),
            "Residuals",
            "Labels and residuals against predictions, and the mean label of tenths by prediction",
        )
        return found
    labels = evidence.labels.astype(np.int64)
    found["confusion"] = Drawing(
        confusion_matrix(labels, evidence.ours.argmax(1), evidence.classes),
        "Confusion matrix",
        "Examples by true and predicted class",
    )
    if len(evidence.classes) == 2:
        scores = {each: evidence.predictions[each][:, 1] for each in (evidence.model, *_rivals(metrics))}
        found["ranking"] = Drawing(
            ranking_curves(labels == 1, scores, evidence.model),
            f"Ranking of {evidence.classes[1]!r}",
            "ROC and precision-recall curves of the model and of the best baselines, of all held-out "
            "examples together; the table has means over rounds",
        )
    found["calibration"] = Drawing(
        calibration(labels, evidence.ours, evidence.classes),
        "Calibration",
        "Share of right predictions by how sure the model is",
    )
    return found


def _rivals(metrics: Mapping[str, Any]) -> list[str]:
    """The best baselines in the compared metric."""
    name = metrics["metric"]
    sign = -1 if metric_named(name).higher_is_better is False else 1
    figures = {model: sign * each[name]["mean"] for model, each in metrics["baselines"].items()}
    return sorted(figures, key=lambda model: -figures[model])[:_MOST_RIVALS]
