"""A corpus report as tables for the terminal."""

from collections.abc import Iterator
from typing import Any

from rich.console import Group
from rich.table import Table
from rich.text import Text

from lifecode.data.splits.regions import SPLITS
from lifecode.names import display_name

_HEADINGS = {
    "cds": "CDS",
    "cds_codons": "codons",
    "dna_regions": "DNA regions",
    "dna_nucleotides": "nucleotides",
    "rna_transcripts": "RNA",
    "rna_nucleotides": "nucleotides",
}


def census_table(report: dict[str, Any]) -> Group:
    """What a corpus holds, for `rich.print`: what was found, what was left out and why, the splits.

    Args:
        report: `Corpus.report`, or `read_without_writing`, which has no splits.
    """
    found = Table.grid(padding=(0, 2))
    found.add_column()
    found.add_column(justify="right")
    for label, count in _rows(report):
        found.add_row(Text(display_name(label)), f"{count:,}")
    if "splits" not in report:
        return Group(found)
    splits = Table("split", box=None, padding=(0, 2, 0, 0), pad_edge=False)
    shown = [key for key in _HEADINGS if any(report["splits"][name][key] for name in SPLITS)]
    for key in shown:
        splits.add_column(_HEADINGS[key], justify="right")
    for name in SPLITS:
        splits.add_row(name, *(f"{report['splits'][name][key]:,}" for key in shown))
    parts = [found, Text(), splits]
    used, asked = report["block_nucleotides"], report["block_nucleotides_asked"]
    if used is not None and used < asked:
        parts.append(Text(f"\nThe genome is small: split by blocks of {used:,} nucleotides, not {asked:,}."))
    return Group(*parts)


def _rows(report: dict[str, Any]) -> Iterator[tuple[str, int]]:
    """Label and count of each line, reasons indented under the total they belong to."""
    pairs = report["pairs"]
    yield "contigs", report["contigs"]
    yield "nucleotides", report["nucleotides"]
    for reason, count in report["skipped"].items():
        yield f"skipped: {reason.replace('_', ' ')}", count
    yield "CDS", report["cds"]["total"]
    yield "exact CDS-protein pairs", pairs["kept"]
    yield "rejected", sum(pairs["rejected"].values())
    for reason, count in pairs["rejected"].items():
        yield f"  {reason.replace('_', ' ')}", count
    yield "dropped by the split", sum(pairs["dropped"].values())
    for reason, count in pairs["dropped"].items():
        yield f"  {reason.replace('_', ' ')}", count
