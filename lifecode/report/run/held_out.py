"""The held-out metrics of a run beside the baselines they have to beat, in words and digits."""

from collections.abc import Iterable, Mapping
from math import floor, isfinite
from typing import Any, Literal, NamedTuple

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


class _Measure(NamedTuple):
    name: str
    label: str
    explanation: str
    unit: Literal["share", "nats"]
    higher_is_better: bool
    baselines: tuple[tuple[str, str, str], ...] = ()
    """(section of metrics.json, name there, words)."""


_CODON_CROSS_ENTROPY = "masked_codon_cross_entropy"
_MEASURES = (
    _Measure(
        _CODON_CROSS_ENTROPY,
        "Masked codon cross-entropy",
        "a whole codon is masked, one of 64 is predicted; lower is better",
        "nats",
        False,
        (
            ("baselines", "codon_unigram", "codon unigram"),
            ("baselines", "codon_bigram", "both neighbours"),
        ),
    ),
    _Measure(
        f"{_CODON_CROSS_ENTROPY}_shuffled",
        "… with each gene's codons shuffled",
        "a model that reads context does worse here than on the genes in order",
        "nats",
        True,
        (("heldout", _CODON_CROSS_ENTROPY, "genes in order"),),
    ),
    _Measure(
        "masked_translation_accuracy",
        "Masked translation accuracy",
        "the residue of a masked codon",
        "share",
        True,
        (("baselines", "majority_residue", "most frequent residue"),),
    ),
    _Measure(
        "translation_accuracy",
        "Translation accuracy",
        "the residue of every codon, nothing masked",
        "share",
        True,
    ),
    _Measure(
        "kd_explained",
        "Teacher explained",
        "share of the divergence from the mean teacher that the model removes",
        "share",
        True,
        (("baselines", "teacher_mean", "mean teacher"),),
    ),
    _Measure(
        "teacher_probe_r2",
        "Teacher in the hidden states",
        "share of the variance of the teacher's features that is linear in the model's hidden states",
        "share",
        True,
        (("baselines", "teacher_codon_r2", "the codon alone"),),
    ),
    _Measure(
        "masked_nucleotide_accuracy",
        "Masked nucleotide accuracy",
        "single masked nucleotides in DNA windows",
        "share",
        True,
    ),
)


class Description(NamedTuple):
    """What a held-out figure is called, its unit, and whether more of it is better (None: not known)."""

    label: str
    unit: Literal["share", "nats", "number"]
    higher_is_better: bool | None


def described(name: str) -> Description:
    """The description of a figure of `metrics.json`; one that is not known has its own name."""
    for measure in _MEASURES:
        if measure.name == name:
            label = measure.label.replace("… with each gene's", "The same,")
            return Description(label, measure.unit, measure.higher_is_better)
    return Description(name.replace("_", " ").capitalize(), "number", None)


def in_usual_order(names: Iterable[str]) -> list[str]:
    """Names of held-out figures as the report of a run lists them, then those that are not known."""
    names, known = set(names), [measure.name for measure in _MEASURES]
    return [name for name in known if name in names] + sorted(names - set(known))


def held_out_metrics(metrics: Metrics) -> list[HeldOutMetric]:
    """The metrics and baselines that were measured; nothing stands in for one that was not."""
    rows = []
    for measure in _MEASURES:
        value = measured(metrics, "heldout", measure.name)
        if value is None:
            continue
        n = metrics["heldout"][measure.name].get("n")
        known = [
            _compare(measure, value, words, baseline)
            for section, name, words in measure.baselines
            if (baseline := measured(metrics, section, name)) is not None
        ]
        rows.append(
            HeldOutMetric(
                measure.label,
                measure.explanation,
                _with_unit(value, measure.unit),
                "" if n is None else f"{n:,}",
                tuple(known),
            )
        )
    return rows


def verdict(metrics: Metrics) -> str | None:
    """One sentence: where the codon cross-entropy stands against its baselines; None if it is not known."""
    value = measured(metrics, "heldout", _CODON_CROSS_ENTROPY)
    unigram = measured(metrics, "baselines", "codon_unigram")
    if value is None or unigram is None:
        return None
    sentence = f"{abs(unigram - value):.3f} nats {_side(value, unigram)} the codon unigram"
    both = measured(metrics, "baselines", "codon_bigram")
    if both is not None:
        sentence += f", {abs(both - value):.3f} nats {_side(value, both)} both neighbours"
    return sentence


def measured(metrics: Metrics, section: str, name: str) -> float | None:
    """The finite value of `metrics[section][name]`, or None."""
    value = ((metrics.get(section) or {}).get(name) or {}).get("value")
    return float(value) if value is not None and isfinite(value) else None


def _compare(measure: _Measure, value: float, words: str, baseline: float) -> Comparison:
    difference = value - baseline
    if measure.unit == "share":
        size = f"{abs(difference) * 100:.2f} points"
    else:
        size = f"{abs(difference):.3f} nats"
    return Comparison(
        baseline=words,
        baseline_value=_with_unit(baseline, measure.unit),
        difference=f"{size} {'higher' if difference > 0 else 'lower'}",
        better=difference > 0 if measure.higher_is_better else difference < 0,
    )


def _with_unit(value: float, unit: Literal["share", "nats"]) -> str:
    """Two decimals of a percentage, four where two would round an imperfect share up to 100."""
    if unit == "nats":
        return f"{value:.3f} nats"
    if 0.99995 <= value < 1:
        return f"{floor(value * 1e6) / 1e4:.4f} %"
    return f"{value * 100:.2f} %"


def _side(value: float, baseline: float) -> str:
    return "below" if value < baseline else "above"
