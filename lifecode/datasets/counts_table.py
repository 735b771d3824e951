"""The report of what was made, as tables for the terminal: of `lifecode dogma`, and of `lifecode rows`."""

from collections.abc import Iterable, Iterator
from typing import Any

from rich.console import Group
from rich.table import Table
from rich.text import Text

from lifecode.data.splits.regions import SPLITS
from lifecode.datasets.central_dogma import ranking
from lifecode.names import display_name


def table_of_dogma(report: dict[str, Any]) -> Group:
    """What was found, what was left out and why, and the examples by kind and split, for `rich.print`.

    Args:
        report: as `lifecode.datasets.central_dogma.make.make_dataset` returns it.
    """
    made = _table("examples", *ranking.SPLITS, "all")
    for kind, of_split in report["examples"].items():
        counts = (*of_split.values(), sum(of_split.values()))
        made.add_row(Text(display_name(kind.replace("_", " "))), *(f"{count:,}" for count in counts))
    found = [
        ("contigs", report["contigs"]),
        ("CDS", report["cds"]),
        ("exact CDS-protein pairs", report["genes"]["exact"]),
        ("  with introns", report["genes"]["with_introns"]),
    ]
    return Group(_found(found, report["left_out"]), Text(), made)


def table_of_rows(report: dict[str, Any]) -> Group:
    """What was found, what was left out and why, and the labelled rows by task and split, for `rich.print`.

    Args:
        report: as `lifecode.datasets.luca_one.make.make_rows` returns it.
    """
    made = _table("rows", "classes", *SPLITS)
    for molecule in ("gene", "protein"):
        made.add_row(f"of a {molecule}", "", *(f"{report['rows'][split][molecule]:,}" for split in SPLITS))
    for task, counts in report["tasks"].items():
        classes = f"{counts['classes']:,}" if counts["classes"] else ""
        made.add_row(f"  with {task}", classes, *(f"{counts[split]:,}" for split in SPLITS))
    for task, of_split in report["unknown_labels"].items():
        shown = (f"{of_split.get(split, 0):,}" for split in SPLITS)
        made.add_row(f"  {task}: labels unknown in training", "", *shown)
    return Group(_found(_sequences(report), report["left_out"]), Text(), made)


def _sequences(report: dict[str, Any]) -> Iterator[tuple[str, int]]:
    """Label and count of what rows were made of."""
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


def _found(counts: Iterable[tuple[str, int]], left_out: dict[str, int]) -> Table:
    """A line per label and count, then those left out, reasons indented under their total."""
    found = Table.grid(padding=(0, 2))
    found.add_column()
    found.add_column(justify="right")
    reasons = [(f"  {reason.replace('_', ' ')}", count) for reason, count in left_out.items()]
    for label, count in (*counts, ("left out", sum(left_out.values())), *reasons):
        found.add_row(Text(display_name(label)), f"{count:,}")
    return found


def _table(*headings: str) -> Table:
    table = Table(headings[0], box=None, padding=(0, 2, 0, 0), pad_edge=False)
    for heading in headings[1:]:
        table.add_column(heading, justify="right")
    return table
