"""The report of many runs: one page with their figures by group, and the numbers as CSV and Markdown."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from lifecode.errors import UserError
from lifecode.host.installed import installed_versions
from lifecode.names import markdown_cell, visible
from lifecode.report.charts.figure_style import plain_settings
from lifecode.report.page import Drawing, write_page
from lifecode.report.sweep.charts import (
    accuracy_against_throughput,
    curves_by_group,
    draws_throughput,
    metrics_by_group,
)
from lifecode.report.sweep.facts import Fact, caveats, comparable_throughput, facts, open_runs
from lifecode.report.sweep.run_groups import Grouping, grouped
from lifecode.report.sweep.runs import Run, find_runs
from lifecode.report.sweep.sources import SourceTables, source_columns, source_tables
from lifecode.report.sweep.tables import (
    Speed,
    SweepTable,
    baseline_lines,
    difference_table,
    markdown_table,
    results_csv,
    sweep_figure_names,
    sweep_table,
)

if TYPE_CHECKING:
    from pandas import DataFrame

_SPREAD = "Mean ± standard deviation over seeds, and the least to the greatest; one seed has neither."
OF_SOURCES = "Masked codon cross-entropy by input file, nats; baselines counted on the same file."
_RATIO = "hybrid ratio"


class SweepReport(NamedTuple):
    """What was written and what it says.

    Attributes:
        page: path of report.html.
        grouping: of the runs.
        table: figures by group.
        sources: the same by input file; None for one file.
        markdown: the same, with where it comes from.
        caveats: what limits the comparison, a sentence each.
        open_runs: runs that are not in the table, and why.
    """

    page: Path
    grouping: Grouping
    table: SweepTable
    sources: SourceTables | None
    markdown: str
    caveats: list[str]
    open_runs: list[Fact]

    @property
    def runs(self) -> "DataFrame":
        """A row per run with its group, seed, status and figures, as in `results.csv`: a pandas frame."""
        from pandas import read_csv

        return read_csv(self.page.parent / "results.csv", dtype={"group": str})

    @property
    def groups(self) -> "DataFrame":
        """The table as a pandas frame of text, mean ± standard deviation over seeds, a row per group."""
        from pandas import DataFrame, Index

        cells = [[cell.value for cell in cells] for _, cells in self.table.rows]
        index = Index([label for label, _ in self.table.rows], name=self.grouping.heading)
        return DataFrame(cells, index=index, columns=list(self.table.headings))

    @property
    def figures(self) -> dict[str, Path]:
        """Path of each picture of the page by its name."""
        return {path.stem: path for path in sorted((self.page.parent / "figures").glob("*.png"))}


@plain_settings
def write_sweep_report(inputs: Sequence[Path], output: Path, *, name: str) -> SweepReport:
    """Write `report.html`, `figures/*.png`, `results.csv` and `results.md` about the runs under some folders.

    Args:
        inputs: folders that hold run folders, at any depth.
        output: folder to write into.
        name: title of the page.

    Raises:
        UserError: no folder, no run, or none that is finished (it says where they stand); an output that
            cannot be written to or is a run.
    """
    runs = find_runs(inputs)
    if (output / "config.yaml").exists():
        raise UserError("is a run, whose own report would be lost", source=output, remedy="Give output=...")
    grouping = grouped(runs)
    not_in_table = open_runs(grouping, runs)
    if not any(run.status == "finished" for run in runs):
        where = f": {not_in_table[0].label}, {not_in_table[0].value}" if not_in_table else ""
        raise UserError(
            f"none of {len(runs)} runs is finished{where}",
            source=", ".join(map(str, inputs)),
            remedy="The command that began the sweep goes on with it",
        )
    speed = comparable_throughput(grouping)
    table, differences = sweep_table(grouping, speed), difference_table(grouping)
    sources = source_tables(grouping, differences[0] if differences else None)
    told, limits = facts(runs), caveats(grouping, runs)
    baselines = baseline_lines(grouping)
    markdown = _markdown(grouping, table, baselines, sources, told, limits)
    content = {
        "kind": "Sweep",
        "name": name,
        "verdict": None,
        "key_figures": _key_figures(grouping, runs),
        "heading": grouping.heading,
        "of_sources": OF_SOURCES,
        "table": table,
        "spread": _SPREAD,
        "baselines": baselines,
        "differences": differences,
        "sources": sources,
        "caveats": limits,
        "open_runs": not_in_table,
        "facts": told,
        "keys": grouping.keys,
        "markdown": markdown,
        "versions": installed_versions("lifecode", "torch", "lightning", "numpy"),
    }
    texts = {"results.csv": results_csv(grouping, runs, source_columns(grouping)), "results.md": markdown}
    page = write_page(output, "sweep.html.jinja", content, _drawings(grouping, speed), texts)
    return SweepReport(page, grouping, table, sources, markdown, limits, not_in_table)


def _drawings(grouping: Grouping, speed: Speed) -> dict[str, Drawing]:
    shown = [group for group in grouping.groups if group.finished]
    drawings: dict[str, Drawing] = {}
    if _RATIO in grouping.heading and draws_throughput(shown, speed):
        drawings["accuracy_throughput"] = Drawing(
            accuracy_against_throughput(shown, speed),
            "Accuracy against throughput",
            "Masked-residue accuracy and masked codon cross-entropy over training throughput, by group.",
        )
    names = sweep_figure_names(grouping)
    drawings["by_group"] = Drawing(
        metrics_by_group(shown, names, grouping.heading),
        "Held-out figures, run by run",
        "A point for each run and a line at the mean of each group, for every held-out figure.",
    )
    if (curves := curves_by_group(shown)) is not None:
        drawings["learning_curves"] = Drawing(
            curves,
            "Learning curves",
            "Validation losses of the encoder by step: mean and range over the seeds of each group.",
        )
    return drawings


def _key_figures(grouping: Grouping, runs: Sequence[Run]) -> list[tuple[str, str]]:
    finished = sum(run.status == "finished" for run in runs)
    missing = sum(len(group.missing) for group in grouping.groups)
    seeds = {str(run.seed) for run in runs if run.config}
    return [
        ("groups", f"{len(grouping.groups)}"),
        ("seeds", f"{len(seeds)}"),
        ("finished runs", f"{finished} of {len(runs) + missing}"),
    ]


def _markdown(
    grouping: Grouping,
    table: SweepTable,
    baselines: Sequence[str],
    sources: SourceTables | None,
    told: Sequence[Fact],
    limits: Sequence[str],
) -> str:
    lines = [markdown_table(grouping.heading, table), f"{_SPREAD}"]
    if baselines:
        lines[-1] += f" At the same positions, over all runs: {'; '.join(baselines)}."
    by_source = [f"\n{OF_SOURCES}\n", markdown_table(grouping.heading, sources.figures)] if sources else []
    for fact in told:
        code = fact.label == "Command" and "`" not in fact.value
        lines.append(f"- {fact.label}: {f'`{visible(fact.value)}`' if code else markdown_cell(fact.value)}")
    lines += [f"- {markdown_cell(limit)}" for limit in limits]
    return "\n".join([lines[0], lines[1], *by_source, "", *lines[2:]]) + "\n"
