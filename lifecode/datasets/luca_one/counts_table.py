"""The report of rows as tables for the terminal."""

from collections.abc import Iterator
from typing import Any

from rich.console import Group
from rich.table import Table
from rich.text import Text

from lifecode.data.splits.regions import SPLITS
from lifecode.names import display_name


def counts_table(report: dict[str, Any]) -> Group:
    """What was found, what was left out and why, and the labelled rows by task and split, for `rich.print`.

    Args:
        report: as `make_rows` returns it.
    """
    found = Table.grid(padding=(0, 2))
    found.add_column()
    found.add_column(justify="right")
    for label, count in _found(report):
        found.add_row(Text(display_name(label)), f"{count:,}")
    made = Table("rows", box=None, padding=(0, 2, 0, 0), pad_edge=False)
    for heading in ("classes", *SPLITS):
        made.add_column(heading, justify="right")
    for molecule in ("gene", "protein"):
        made.add_row(f"of a {molecule}", "", *(f"{report['rows'][split][molecule]:,}" for split in SPLITS))
    for task, counts in report["tasks"].items():
        classes = f"{counts['classes']:,}" if counts["classes"] else ""
        made.add_row(f"  with {task}", classes, *(f"{counts[split]:,}" for split in SPLITS))
    for task, of_split in report["unknown_labels"].items():
        shown = (f"{of_split.get(split, 0):,}" for split in SPLITS)
        made.add_row(f"  {task}: labels unknown in training", "", *shown)
    return Group(found, Text(), made)


def _found(report: dict[str, Any]) -> Iterator[tuple[str, int]]:
    """Label and count of each line, reasons indented under their total."""
    yield "contigs", report["contigs"]
    if report["contigs"]:
        yield "  of no known order", report["contigs_without_order"]
        for gene_type, count in report["gene_types"].items():
            yield f"  stretches of {gene_type}", count
    yield "proteins", report["proteins"]
    if report["proteins"]:
        yield "  of no known order", report["proteins_without_order"]
    for origin, count in report["structures"].items():
        words = "of the whole sequence (SEQRES)" if origin == "SEQRES" else "of the residues seen alone"
        yield f"  structures {words}", count
    yield "left out", sum(report["left_out"].values())
    for reason, count in report["left_out"].items():
        yield f"  {reason.replace('_', ' ')}", count
