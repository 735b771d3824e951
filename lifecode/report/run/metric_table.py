"""The held-out metrics of a run beside the baselines they have to beat, in words and digits."""

from collections.abc import Iterable, Mapping
from math import floor, isfinite
from typing import Any, NamedTuple

from lifecode.evaluation.metrics import (
    BOTH_NEIGHBOURS,
    CODON_UNIGRAM,
    HELD_OUT,
    MASKED_CODON_CROSS_ENTROPY,
    Metric,
    Unit,
)

Metrics = Mapping[str, Any]
"""The content of `metrics.json`."""


class Comparison(NamedTuple):
    """A metric against one baseline, formatted."""

    baseline: str
    baseline_value: str
    difference: str
    better: bool


class HeldOutMetric(NamedTuple):
    """A metric, what it measures, its formatted value, over how many positions, and its baselines."""

    label: str
    explanation: str
    value: str
    n: str
    comparisons: tuple[Comparison, ...]


def held_out_metrics(metrics: Metrics, known_metrics: Iterable[Metric] = HELD_OUT) -> list[HeldOutMetric]:
    """Of the known metrics and baselines those that were measured; nothing stands in for one that was not."""
    rows = []
    for metric in known_metrics:
        value = measured(metrics, "heldout", metric.name)
        if value is None:
            continue
        n = metrics["heldout"][metric.name].get("n")
        known = [
            _compare(metric, value, beside, baseline)
            for beside in metric.baselines
            if (baseline := _baseline(metrics, beside)) is not None
        ]
        rows.append(
            HeldOutMetric(
                metric.label,
                metric.explanation,
                _with_unit(value, metric.unit),
                "" if n is None else f"{n:,}",
                tuple(known),
            )
        )
    return rows


def verdict(metrics: Metrics) -> str | None:
    """One sentence: where the codon cross-entropy stands against its baselines; None if it is not known."""
    value = measured(metrics, "heldout", MASKED_CODON_CROSS_ENTROPY.name)
    unigram = measured(metrics, "baselines", CODON_UNIGRAM.name)
    if value is None or unigram is None:
        return None
    sentence = f"{abs(unigram - value):.3f} nats {_side(value, unigram)} the codon unigram"
    both = measured(metrics, "baselines", BOTH_NEIGHBOURS.name)
    if both is not None:
        sentence += f", {abs(both - value):.3f} nats {_side(value, both)} both neighbours"
    return sentence


def measured(metrics: Metrics, section: str, name: str) -> float | None:
    """The finite value of `metrics[section][name]`, or None."""
    value = ((metrics.get(section) or {}).get(name) or {}).get("value")
    return float(value) if value is not None and isfinite(value) else None


def _baseline(metrics: Metrics, metric: Metric) -> float | None:
    """A baseline's value; a control is compared with the model's own metric."""
    own = metric.name in {each.name for each in HELD_OUT}
    return measured(metrics, "heldout" if own else "baselines", metric.name)


def _compare(metric: Metric, value: float, beside: Metric, baseline: float) -> Comparison:
    difference = value - baseline
    if metric.unit == "share":
        size = f"{abs(difference) * 100:.2f} points"
    else:
        size = _with_unit(abs(difference), metric.unit)
    return Comparison(
        baseline=beside.label,
        baseline_value=_with_unit(baseline, metric.unit),
        difference=f"{size} {'higher' if difference > 0 else 'lower'}",
        better=difference > 0 if metric.higher_is_better else difference < 0,
    )


def _with_unit(value: float, unit: Unit) -> str:
    """Two decimals of a percentage, four where two would round an imperfect share up to 100."""
    if unit != "share":
        return f"{value:.3f} nats" if unit == "nats" else f"{value:.3f}"
    if 0.99995 <= value < 1:
        return f"{floor(value * 1e6) / 1e4:.4f} %"
    return f"{value * 100:.2f} %"


def _side(value: float, baseline: float) -> str:
    return "below" if value < baseline else "above"
