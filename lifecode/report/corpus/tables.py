"""What was measured of a corpus as tables for its page: numbers as text, nothing that was not measured."""

from collections import Counter
from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from lifecode.data.cds.codon_usage import gc3_content
from lifecode.data.corpus.shards import CDS, DNA
from lifecode.data.statistics.composition import GC_WINDOW, Composition
from lifecode.names import display_name
from lifecode.report.charts.distributions import Panel

_NAMED_ORGANISMS = 5


class KindWords(NamedTuple):
    """How a kind of segments is called, what its lengths count, and what its GC content is measured of."""

    plural: str
    unit: str
    nucleotides_per_unit: int
    explanation: str
    gc_of: str
    gc_explanation: str = ""


_KIND_WORDS = {
    CDS: KindWords("CDS", "codons", 3, "in codons, the stop included", "CDS"),
    DNA: KindWords(
        "DNA regions",
        "nucleotides",
        1,
        "in nucleotides; a region is a stretch of a contig, all of one split",
        "DNA windows",
        f"of {GC_WINDOW:,} nucleotides, from the start of each region on",
    ),
    "rna": KindWords("transcripts", "nucleotides", 1, "in nucleotides", "transcripts"),
}

Compositions = Mapping[str, Composition]
"""By kind."""


class TableRow(NamedTuple):
    """A label with what it means, and formatted numbers."""

    label: str
    explanation: str
    numbers: tuple[str, ...]


LENGTH_HEADINGS = ("number", "shortest", "median", "mean", "longest")
GC_HEADINGS = ("overall", "5th percentile", "median", "95th percentile")


def length_rows(compositions: Compositions) -> list[TableRow]:
    """`LENGTH_HEADINGS` of each kind that has segments."""
    rows = []
    for kind, measured in compositions.items():
        if len(measured.lengths):
            words = _KIND_WORDS[kind]
            lengths = measured.lengths // words.nucleotides_per_unit
            middle = (np.median(lengths), lengths.mean())
            numbers = [len(lengths), lengths.min(), *middle, lengths.max()]
            formatted = tuple(_rounded(number) for number in numbers)
            rows.append(TableRow(_title(words.plural), words.explanation, formatted))
    return rows


def gc_rows(compositions: Compositions) -> list[TableRow]:
    """`GC_HEADINGS` in percent of each kind that has known nucleotides, and of third codon positions."""
    rows = []
    for kind, measured in compositions.items():
        words = _KIND_WORDS[kind]
        rows.append(_gc_row(_title(words.gc_of), words.gc_explanation, measured.gc_content, measured.gc))
        if kind == CDS:
            counts = np.sum(list(measured.codons.values()) or [np.zeros(64, dtype=np.int64)], axis=0)
            third = ("CDS, third positions", "of the codons, stops included (GC3)")
            rows.append(_gc_row(*third, gc3_content(counts), measured.gc3))
    return [row for row in rows if row is not None]


def length_panels(compositions: Compositions) -> list[Panel]:
    """A histogram for each kind with segments of different lengths."""
    panels = []
    for kind, measured in compositions.items():
        words = _KIND_WORDS[kind]
        lengths = measured.lengths // words.nucleotides_per_unit
        if len(np.unique(lengths)) > 1:
            panels.append(Panel(_title(words.plural), words.unit, f"number of {words.plural}", lengths))
    return panels


def gc_panels(compositions: Compositions) -> list[Panel]:
    """A histogram for each kind with more than one sequence or window to measure."""
    panels = []
    for kind, measured in compositions.items():
        words = _KIND_WORDS[kind]
        if len(measured.gc) > 1:
            title, count = _title(words.gc_of), f"number of {words.gc_of}"
            if len(measured.gc3):
                third = (measured.gc3, "third positions (GC3)")
                panels.append(Panel(title, "% G and C", count, measured.gc, "all positions", *third))
            else:
                panels.append(Panel(title, "% G and C", count, measured.gc))
    return panels


def sample_sentence(compositions: Compositions) -> str | None:
    """What was read of the kinds that were too large to be read whole; None where all was read."""
    sampled = [
        f"{part.measured_nucleotides:,} of {part.num_nucleotides:,} nucleotides of {_KIND_WORDS[kind].plural}"
        for kind, part in compositions.items()
        if part.measured_nucleotides < part.num_nucleotides
    ]
    return f"A sample, in stretches spread evenly over each split: {'; '.join(sampled)}." if sampled else None


def organism_sentence(organisms: Counter[str | None]) -> str:
    """The organisms of the CDS, the most frequent first, with their numbers of CDS."""
    names = [name for name, _ in organisms.most_common() if name is not None]
    shown = [display_name(name) for name in names[:_NAMED_ORGANISMS]]
    if not names:
        return "The files name no organism."
    if len(organisms) == 1:
        return f"All {organisms.total():,} CDS are of {shown[0]}."
    words = [f"{word} ({organisms[name]:,})" for word, name in zip(shown, names, strict=False)]
    if more := names[_NAMED_ORGANISMS:]:
        words.append(f"{len(more):,} more ({sum(organisms[name] for name in more):,})")
    if organisms[None]:
        words.append(f"not named ({organisms[None]:,})")
    return f"The {organisms.total():,} CDS by organism: {', '.join(words)}."


def _gc_row(label: str, explanation: str, overall: float, fractions: NDArray[np.float64]) -> TableRow | None:
    if np.isnan(overall) or not len(fractions):
        return None
    low, median, high = np.percentile(fractions, [5, 50, 95])
    return TableRow(label, explanation, tuple(f"{100 * value:.1f}" for value in (overall, low, median, high)))


def _rounded(number: float) -> str:
    """A whole number, or one decimal below 100."""
    return f"{number:,.0f}" if number >= 100 or number == int(number) else f"{number:,.1f}"


def _title(words: str) -> str:
    return words[0].upper() + words[1:]
