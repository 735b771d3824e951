"""Held-out figures of each input file beside the codon baselines of the same file."""

from typing import Any, NamedTuple

from lifecode.evaluation.metrics import (
    BOTH_NEIGHBOURS,
    CODON_UNIGRAM,
    MAJORITY_RESIDUE,
    MASKED_CODON_CROSS_ENTROPY,
    MASKED_TRANSLATION_ACCURACY,
)
from lifecode.names import display_name
from lifecode.report.run.metric_table import Metrics, measured

SOURCE_HEADINGS = (
    "masked codon cross-entropy, nats",
    BOTH_NEIGHBOURS.label,
    CODON_UNIGRAM.label,
    "residue of a masked codon",
    MAJORITY_RESIDUE.label,
    "masked codons",
)
_FIGURES = (
    ("heldout", MASKED_CODON_CROSS_ENTROPY, "{:.3f}"),
    ("baselines", BOTH_NEIGHBOURS, "{:.3f}"),
    ("baselines", CODON_UNIGRAM, "{:.3f}"),
    ("heldout", MASKED_TRANSLATION_ACCURACY, "{:.2%}"),
    ("baselines", MAJORITY_RESIDUE, "{:.2%}"),
)


class SourceRow(NamedTuple):
    """An input file, what its genes are, and the numbers under `SOURCE_HEADINGS`."""

    label: str
    explanation: str
    numbers: tuple[str, ...]


def source_rows(metrics: Metrics) -> list[SourceRow]:
    """A row for each of `metrics["sources"]`; a figure that was not measured is left empty."""
    return [_row(name, figures) for name, figures in (metrics.get("sources") or {}).items()]


def _row(name: str, figures: dict[str, Any]) -> SourceRow:
    values = [(measured(figures, section, metric.name), form) for section, metric, form in _FIGURES]
    numbers = ["" if value is None else form.format(value) for value, form in values]
    positions = figures["heldout"][MASKED_CODON_CROSS_ENTROPY.name]["n"]
    kind = "back-translated proteins" if figures["back_translated"] else "genes"
    return SourceRow(display_name(name), f"{figures['genes']:,} {kind}", (*numbers, f"{positions:,}"))
