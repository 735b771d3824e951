"""What a corpus holds and what was left out, line by line, and as tables for the terminal."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from rich.console import Group
from rich.table import Table
from rich.text import Text

from lifecode.data.splits.regions import SPLITS
from lifecode.names import display_name

SPLIT_HEADINGS = {
    "cds": "CDS",
    "cds_codons": "codons",
    "dna_regions": "DNA regions",
    "dna_nucleotides": "nucleotides",
    "rna_transcripts": "transcripts",
    "rna_nucleotides": "their nucleotides",
}
"""What is counted in each split of a corpus, as a table calls it."""


def census_table(report: dict[str, Any]) -> Group:
    """What a corpus holds, for `rich.print`: what was found, what was left out and why, the splits.

    Args:
        report: `Corpus.report`, or `read_without_writing`, which has no splits.
    """
    found = Table.grid(padding=(0, 2))
    found.add_column()
    found.add_column(justify="right")
    for row in census_rows(report):
        found.add_row(Text(display_name(_label(row))), f"{row.count:,}")
    if "splits" not in report:
        return Group(found)
    splits = Table("split", box=None, padding=(0, 2, 0, 0), pad_edge=False)
    shown = [key for key in SPLIT_HEADINGS if any(report["splits"][name][key] for name in SPLITS)]
    for key in shown:
        splits.add_column(SPLIT_HEADINGS[key], justify="right")
    for name in SPLITS:
        splits.add_row(name, *(f"{report['splits'][name][key]:,}" for key in shown))
    parts = [found, Text(), splits]
    used, asked = report["block_nucleotides"], report["block_nucleotides_asked"]
    if used is not None and used < asked:
        parts.append(Text(f"\nThe genome is small: split by blocks of {used:,} nucleotides, not {asked:,}."))
    return Group(*parts)


@dataclass(frozen=True, slots=True)
class CensusRow:
    """How many there are of something: `of` names the line that it is part of, or is None."""

    what: str
    of: str | None
    count: int


def census_rows(report: dict[str, Any]) -> Iterator[CensusRow]:
    """Each line of the census, the parts of a total behind it.

    Args:
        report: as for `census_table`.
    """
    pairs = report["pairs"]
    yield CensusRow("contigs", None, report["contigs"])
    yield CensusRow("nucleotides", None, report["nucleotides"])
    yield from _parts("skipped", report["skipped"])
    yield CensusRow("CDS", None, report["cds"]["total"])
    yield CensusRow("exact CDS-protein pairs", None, pairs["kept"])
    for total, key in (("rejected", "rejected"), ("dropped by the split", "dropped")):
        yield CensusRow(total, None, sum(pairs[key].values()))
        yield from _parts(total, pairs[key])


def _parts(total: str, counts: dict[str, int]) -> Iterator[CensusRow]:
    for reason, count in counts.items():
        yield CensusRow(reason.replace("_", " "), total, count)


def _label(row: CensusRow) -> str:
    """The name of a line, a part indented; what was skipped has no total to stand under."""
    if row.of is None:
        return row.what
    return f"skipped: {row.what}" if row.of == "skipped" else f"  {row.what}"
