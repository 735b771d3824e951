"""The page of a corpus: what was found, what it is like, how it uses codons, what was left out and why.

Derived from the corpus and no part of it: its manifest lists neither the page nor the figures.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from lifecode.data.cds.codon_usage import FIGURE_6_ORGANISMS
from lifecode.data.corpus.corpus import Corpus
from lifecode.data.corpus.shards import CDS, KINDS
from lifecode.data.reading.lines import how_read_lines
from lifecode.data.splits.split import SPLITS
from lifecode.data.statistics.composition import MAX_NUCLEOTIDES, composition
from lifecode.data.statistics.origins import row_origins
from lifecode.host.installed import installed_versions
from lifecode.report.charts.codons.codon_comparison import CodonComparison, codon_rows, compare_codon_usage
from lifecode.report.charts.codons.codon_usage_chart import codon_usage_chart
from lifecode.report.charts.distributions import gc_histograms, length_histograms
from lifecode.report.charts.figure_style import plain_settings
from lifecode.report.corpus.left_out import LeftOut, left_out, left_out_chart
from lifecode.report.corpus.tables import (
    GC_HEADINGS,
    LENGTH_HEADINGS,
    Compositions,
    gc_panels,
    gc_rows,
    length_panels,
    length_rows,
    organism_sentence,
    sample_sentence,
)
from lifecode.report.page import Drawing, write_page
from lifecode.report.run.census import corpus_counts, split_table


@plain_settings
def write_corpus_report(corpus: Corpus, *, max_nucleotides: int = MAX_NUCLEOTIDES) -> Path:
    """Write `report.html` and `figures/*.png` into the folder of a corpus; the same corpus, the same page.

    Args:
        corpus: to describe; it is not changed.
        max_nucleotides: how much of each kind is measured; of more a sample is, and the page says so.

    Returns:
        The path of `report.html`.

    Raises:
        UserError: if the folder cannot be written to.
    """
    report = corpus.report
    measured = {
        kind: composition([corpus.segments(kind, split) for split in SPLITS], max_nucleotides=max_nucleotides)
        for kind in KINDS
    }
    comparison = compare_codon_usage(measured[CDS].codons)
    reasons, origins = left_out(corpus), row_origins(corpus, CDS)
    content = {
        "kind": "Corpus",
        "name": corpus.folder.resolve().name,
        "folder": corpus.folder.as_posix(),
        "verdict": _verdict(report),
        "key_figures": _key_figures(report),
        "counts": corpus_counts(report),
        "how_read": how_read_lines(report),
        "splits": split_table(report),
        "sample": sample_sentence(measured),
        "length_headings": LENGTH_HEADINGS,
        "lengths": length_rows(measured),
        "gc_headings": GC_HEADINGS,
        "gc": gc_rows(measured),
        "comparison": comparison,
        "codons": codon_rows(comparison) if comparison else [],
        "tables": FIGURE_6_ORGANISMS,
        "num_cds": origins.organisms.total(),
        "organisms": organism_sentence(origins.organisms),
        "from_proteins": origins.from_proteins,
        "left_out": reasons,
        "versions": installed_versions("lifecode", "numpy", "python-codon-tables"),
    }
    return write_page(corpus.folder, "corpus.html.jinja", content, _drawings(measured, comparison, reasons))


def _drawings(
    measured: Compositions, comparison: CodonComparison | None, reasons: list[LeftOut]
) -> dict[str, Drawing]:
    """Figures by file name; one without data is left out."""
    drawings: dict[str, Drawing] = {}
    if panels := length_panels(measured):
        words = (
            f"Histograms of lengths: {', '.join(panel.title for panel in panels)}. The table has the numbers."
        )
        drawings["lengths"] = Drawing(length_histograms(panels), "Lengths", words)
    if panels := gc_panels(measured):
        words = f"Histograms of the GC content of {', '.join(panel.title for panel in panels)}"
        drawings["gc_content"] = Drawing(gc_histograms(panels), "GC content", words)
    if comparison is not None:
        chart = codon_usage_chart(comparison.usage, comparison.organisms, comparison.genetic_code_number)
        words = "Share of each codon among those of its residue in the corpus and in the organisms compared."
        drawings["codon_usage"] = Drawing(chart, "Codon usage", words)
    if reasons:
        words = "; ".join(f"{reason.reason.replace('_', ' ')} {reason.count:,}" for reason in reasons)
        drawings["left_out"] = Drawing(left_out_chart(reasons), "Left out", words)
    return drawings


def _verdict(report: Mapping[str, Any]) -> str:
    """The corpus in one line."""
    total, kept = report["cds"]["total"], report["pairs"]["kept"]
    if not total:
        return "No coding sequences: nucleotides alone"
    return f"{kept:,} of {total:,} coding sequences are exact CDS-protein pairs"


def _key_figures(report: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Label and value of the numbers at the top."""
    in_splits = sum(split["cds"] for split in report["splits"].values())
    figures = [("nucleotides", report["nucleotides"]), ("contigs", report["contigs"])]
    return [(label, f"{value:,}") for label, value in [*figures, ("CDS in the splits", in_splits)]]
