"""What was measured of a corpus as tables for its page: numbers as text, nothing that was not measured."""

from collections import Counter
from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from lifecode.data.codon_usage import gc3_content
from lifecode.data.composition import GC_WINDOW, Composition
from lifecode.data.shards import CDS, DNA
from lifecode.report.distributions import Panel

_NAMED_ORGANISMS = 5


class KindWords(NamedTuple):
    """How a kind of segments is called, what its lengths count, and what its GC content is measured of."""

    plural: str
    unit: str
    nucleotides_per_unit: int
    gc_of: str


KINDS = {
    CDS: KindWords("CDS", "codons", 3, "CDS"),
    DNA: KindWords("DNA regions", "nucleotides", 1, f"DNA windows of {GC_WINDOW:,} nucleotides"),
    "rna": KindWords("transcripts", "nucleotides", 1, "transcripts"),
}

Compositions = Mapping[str, Composition]
"""By kind."""


class TableRow(NamedTuple):
    """A label and formatted numbers."""

    label: str
    numbers: tuple[str, ...]


LENGTH_HEADINGS = ("number", "shortest", "median", "mean", "longest")
GC_HEADINGS = ("overall", "5th percentile", "median", "95th percentile")


def length_rows(compositions: Compositions) -> list[TableRow]:
    """`LENGTH_HEADINGS` of each kind that has segments."""
    rows = []
    for kind, measured in compositions.items():
        if len(measured.lengths):
            lengths = measured.lengths // KINDS[kind].nucleotides_per_unit
            middle = (np.median(lengths), lengths.mean())
            numbers = [len(lengths), lengths.min(), *middle, lengths.max()]
            label = f"{KINDS[kind].plural}, {KINDS[kind].unit}"
            rows.append(TableRow(label, tuple(f"{number:,.0f}" for number in numbers)))
    return rows


def gc_rows(compositions: Compositions) -> list[TableRow]:
    """`GC_HEADINGS` in percent of each kind that has known nucleotides, and of third codon positions."""
    rows = []
    for kind, measured in compositions.items():
        rows.append(_gc_row(KINDS[kind].gc_of, measured.gc_content, measured.gc))
        if kind == CDS:
            counts = np.sum(list(measured.codons.values()) or [np.zeros(64, dtype=np.int64)], axis=0)
            rows.append(_gc_row("their third codon positions (GC3)", gc3_content(counts), measured.gc3))
    return [row for row in rows if row is not None]


def length_panels(compositions: Compositions) -> list[Panel]:
    """A histogram for each kind with segments of different lengths."""
    panels = []
    for kind, measured in compositions.items():
        words = KINDS[kind]
        lengths = measured.lengths // words.nucleotides_per_unit
        if len(np.unique(lengths)) > 1:
            panels.append(Panel(_title(words.plural), words.unit, f"number of {words.plural}", lengths))
    return panels


def gc_panels(compositions: Compositions) -> list[Panel]:
    """A histogram for each kind with more than one sequence or window to measure."""
    panels = []
    for kind, measured in compositions.items():
        words = KINDS[kind]
        if len(measured.gc) > 1:
            noun = "windows" if kind == DNA else words.plural
            panel = Panel(_title(words.gc_of), "% G and C", f"number of {noun}", measured.gc)
            if len(measured.gc3):
                labels = {"label": "all positions", "others_label": "third positions (GC3)"}
                panel = panel._replace(others=measured.gc3, **labels)
            panels.append(panel)
    return panels


def sample_sentence(compositions: Compositions) -> str | None:
    """What was read of the kinds that were too large to be read whole; None where all was read."""
    sampled = [
        f"{part.measured_nucleotides:,} of {part.num_nucleotides:,} nucleotides of {KINDS[kind].plural}"
        for kind, part in compositions.items()
        if part.measured_nucleotides < part.num_nucleotides
    ]
    return f"A sample, in stretches spread evenly over each split: {'; '.join(sampled)}." if sampled else None


def organism_sentence(organisms: Counter[str | None]) -> str:
    """The organisms of the rows, the most frequent first, with their numbers of rows."""
    named = Counter({name: count for name, count in organisms.items() if name is not None})
    words = [f"{name} ({count:,})" for name, count in named.most_common(_NAMED_ORGANISMS)]
    if (more := len(named) - len(words)) > 0:
        words.append(f"{more:,} more")
    if unnamed := organisms[None]:
        words.append(f"not named in the files ({unnamed:,})")
    return ", ".join(words)


def _gc_row(label: str, overall: float, fractions: NDArray[np.float64]) -> TableRow | None:
    if np.isnan(overall) or not len(fractions):
        return None
    low, median, high = np.percentile(fractions, [5, 50, 95])
    return TableRow(label, tuple(f"{100 * value:.1f}" for value in (overall, low, median, high)))


def _title(words: str) -> str:
    return words[0].upper() + words[1:]
