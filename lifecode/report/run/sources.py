"""Held-out figures of each input file beside the codon baselines of the same file."""

from typing import Any, NamedTuple

from lifecode.names import display_name
from lifecode.report.run.held_out import Metrics, measured

SOURCE_HEADINGS = (
    "masked codon cross-entropy, nats",
    "both neighbours",
    "codon unigram",
    "residue of a masked codon",
    "most frequent residue",
    "masked codons",
)
_FIGURES = (
    ("heldout", "masked_codon_cross_entropy", "{:.3f}"),
    ("baselines", "codon_bigram", "{:.3f}"),
    ("baselines", "codon_unigram", "{:.3f}"),
    ("heldout", "masked_translation_accuracy", "{:.2%}"),
    ("baselines", "majority_residue", "{:.2%}"),
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
    values = [(measured(figures, section, figure), form) for section, figure, form in _FIGURES]
    numbers = ["" if value is None else form.format(value) for value, form in values]
    positions = figures["heldout"]["masked_codon_cross_entropy"]["n"]
    kind = "back-translated proteins" if figures["back_translated"] else "genes"
    return SourceRow(display_name(name), f"{figures['genes']:,} {kind}", (*numbers, f"{positions:,}"))
