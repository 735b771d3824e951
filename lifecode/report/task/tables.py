"""What the page of a task says in words and numbers, of the content of metrics.json."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from lifecode.evaluation.metrics import metric_named
from lifecode.names import display_name
from lifecode.tasks.evidence import Evidence

_NUM_ERRORS = 10
_LONGEST_TEXT = 300


class ModelRow(NamedTuple):
    """A line of the table: name, what it is, a cell for each metric, and the difference to it."""

    name: str
    role: str
    cells: list[str]
    difference: str


class WorstError(NamedTuple):
    """An example that the model errs most on."""

    id: str
    label: str
    prediction: str
    text: str


def verdict(metrics: Mapping[str, Any]) -> str:
    """The figure of the model, and whether it is told from the best baseline."""
    name = metrics["metric"]
    label, value = metric_named(name).label, metrics["test"][name]["mean"]
    best = metrics.get("best_baseline")
    if best is None:
        return f"{label} {value:.3f}"
    found = metrics["differences"][best]
    sides = (found["low"], found["high"])
    if metric_named(name).higher_is_better is False:
        sides = (-sides[1], -sides[0])
    told = "above" if sides[0] > 0 else "below" if sides[1] < 0 else "not told from"
    interval = f"{found['mean']:+.3f}, 95 % from {found['low']:+.3f} to {found['high']:+.3f}"
    return f"{label} {value:.3f}, {told} the best baseline, {display_name(best)} ({interval})"


def model_rows(metrics: Mapping[str, Any]) -> tuple[list[str], list[ModelRow]]:
    """Headings, and a line for each model, baseline and published figure."""
    names = list(metrics["test"])
    rows = [ModelRow(display_name(metrics["encoder"]), "model", _cells(metrics["test"], names), "")]
    for name, figures in metrics["baselines"].items():
        found = metrics.get("differences", {}).get(name)
        told = f"{found['mean']:+.3f} ({found['low']:+.3f} to {found['high']:+.3f})" if found else ""
        rows.append(ModelRow(display_name(name), "baseline", _cells(figures, names), told))
    for name, figures in metrics["published"].items():
        cells = [f"{figures[each]:.3f}" if each in figures else "" for each in names]
        rows.append(ModelRow(display_name(name), "published", cells, "other rounds"))
    return [metric_named(name).label for name in names], rows


def _cells(figures: Mapping[str, Any], names: Sequence[str]) -> list[str]:
    cells = []
    for name in names:
        figure = figures[name]
        cells.append(f"{figure['mean']:.3f}" + ("" if figure["sd"] is None else f" ± {figure['sd']:.3f}"))
    return cells


def seed_rows(metrics: Mapping[str, Any]) -> tuple[list[str], list[ModelRow]]:
    """The compared metric by seed, the mean over its folds; none for a single seed."""
    seeds, name = metrics["split"]["seeds"], metrics["metric"]
    if len(seeds) < 2:
        return [], []
    every = {metrics["encoder"]: metrics["test"], **metrics["baselines"]}
    rows = []
    for model, figures in every.items():
        means = np.array(figures[name]["values"]).reshape(len(seeds), -1).mean(1)
        cells = [f"{value:.3f}" for value in [*means, means.mean(), means.std(ddof=1)]]
        rows.append(ModelRow(display_name(model), "model" if model == metrics["encoder"] else "", cells, ""))
    return [*(f"seed {seed}" for seed in seeds), "mean", "sd"], rows


def worst_errors(evidence: Evidence) -> list[WorstError]:
    """The ten held-out examples whose label the model thought least likely, or lay farthest from.

    Values are in the units of the labels, and where logarithms were learnt the distance is between these.
    """
    found = []
    for row in np.argsort(-evidence.errors, kind="stable")[:_NUM_ERRORS].tolist():
        said = evidence.ours[row]
        if evidence.classes:
            label = evidence.classes[int(evidence.labels[row])]
            guess = int(said.argmax())
            prediction = f"{evidence.classes[guess]} ({100 * said[guess]:.0f} %)"
        else:
            values = evidence.of.given(np.array([evidence.labels[row], said], dtype=np.float64))
            label, prediction = (f"{value:.4g}" for value in values)
        text = evidence.texts[row]
        shown = text if len(text) <= _LONGEST_TEXT else f"{text[:_LONGEST_TEXT]}… ({len(text):,} letters)"
        found.append(WorstError(evidence.ids[row], label, prediction, shown))
    return found


def leak_lines(leaks: Mapping[str, Any]) -> list[str]:
    """What held-out examples share with those that are learnt from, a line each."""
    words = {
        "held_out": "held out",
        "equal": "of them are learnt from too",
        "reverse_complement": "as reverse complements",
        "alike": "as near twins",
        "seen_by_encoder": "resemble genes that the model was trained on",
        "first_known": "have a first sequence that is learnt from",
        "second_known": "have a second one",
        "first_alike": "others have a near twin, or reverse complement, of a first sequence that is",
        "second_alike": "others have one of a second sequence",
    }
    lines = [f"{leaks[key]:,} {word}" for key, word in words.items() if leaks.get(key) is not None]
    return lines + list(leaks.get("named", []))
