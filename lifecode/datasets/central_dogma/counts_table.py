"""The report of a data set as tables for the terminal."""

from collections.abc import Iterator
from typing import Any

from rich.console import Group
from rich.table import Table
from rich.text import Text

from lifecode.datasets.central_dogma.ranking import SPLITS
from lifecode.names import display_name


def counts_table(report: dict[str, Any]) -> Group:
    """What was found, what was left out and why, and the examples by kind and split, for `rich.print`.

    Args:
        report: as `make_dataset` returns it.
    """
    found = Table.grid(padding=(0, 2))
    found.add_column()
    found.add_column(justify="right")
    for label, count in _rows(report):
        found.add_row(Text(display_name(label)), f"{count:,}")
    made = Table("examples", box=None, padding=(0, 2, 0, 0), pad_edge=False)
    for heading in (*SPLITS, "all"):
        made.add_column(heading, justify="right")
    for kind, of_split in report["examples"].items():
        counts = (*of_split.values(), sum(of_split.values()))
        made.add_row(Text(display_name(kind.replace("_", " "))), *(f"{count:,}" for count in counts))
    return Group(found, Text(), made)


def _rows(report: dict[str, Any]) -> Iterator[tuple[str, int]]:
    """Label and count of each line, reasons indented under their total."""
    yield "contigs", report["contigs"]
    yield "CDS", report["cds"]
    yield "exact CDS-protein pairs", report["genes"]["exact"]
    yield "  with introns", report["genes"]["with_introns"]
    yield "left out", sum(report["left_out"].values())
    for reason, count in report["left_out"].items():
        yield f"  {reason.replace('_', ' ')}", count
