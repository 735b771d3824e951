"""The report of many runs: one page with their figures by group, and the numbers as CSV and Markdown."""

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from lifecode.data.durable import replacing
from lifecode.errors import UserError
from lifecode.installed import installed_versions
from lifecode.report.page import Drawing, write_page
from lifecode.report.run_groups import Grouping, grouped
from lifecode.report.runs import Run, find_runs
from lifecode.report.sweep_facts import Fact, caveats, comparable_throughput, facts, open_runs
from lifecode.report.sweep_figures import (
    accuracy_against_throughput,
    curves_by_group,
    draws_throughput,
    figures_by_group,
)
from lifecode.report.sweep_tables import (
    Speed,
    SweepTable,
    baseline_lines,
    difference_table,
    markdown_table,
    results_csv,
    sweep_figure_names,
    sweep_table,
)

SPREAD = "Mean ± standard deviation over seeds, and the least to the greatest; one seed has neither."
_RATIO = "hybrid ratio"


class SweepReport(NamedTuple):
    """What was written and what it says.

    Attributes:
        page: path of report.html.
        grouping: of the runs.
        table: figures by group.
        markdown: the same, with where it comes from.
        caveats: what limits the comparison, a sentence each.
        open_runs: runs that are not in the table, and why.
    """

    page: Path
    grouping: Grouping
    table: SweepTable
    markdown: str
    caveats: list[str]
    open_runs: list[Fact]


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
    told, limits = facts(runs), caveats(grouping, runs)
    baselines = baseline_lines(grouping)
    markdown = _markdown(grouping, table, baselines, told, limits)
    content = {
        "kind": "Sweep",
        "name": name,
        "verdict": None,
        "key_figures": _key_figures(grouping, runs),
        "heading": grouping.heading,
        "table": table,
        "spread": SPREAD,
        "baselines": baselines,
        "differences": differences,
        "caveats": limits,
        "open_runs": not_in_table,
        "facts": told,
        "keys": grouping.keys,
        "markdown": markdown,
        "versions": installed_versions("lifecode", "torch", "lightning", "numpy"),
    }
    page = write_page(output, "sweep.html.jinja", content, _drawings(grouping, speed))
    try:
        for name, text in (("results.csv", results_csv(grouping, runs)), ("results.md", markdown)):
            with replacing(output / name) as file:
                file.write(text.encode())
    except OSError as error:
        raise UserError(f"cannot write the results: {error.strerror}", source=output) from error
    return SweepReport(page, grouping, table, markdown, limits, not_in_table)


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
        figures_by_group(shown, names, grouping.heading),
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
    told: Sequence[Fact],
    limits: Sequence[str],
) -> str:
    lines = [markdown_table(grouping.heading, table), f"{SPREAD}"]
    if baselines:
        lines[-1] += f" At the same positions, over all runs: {'; '.join(baselines)}."
    lines += [
        f"- {fact.label}: {f'`{fact.value}`' if fact.label == 'Command' else fact.value}" for fact in told
    ]
    lines += [f"- {limit}" for limit in limits]
    return "\n".join([lines[0], lines[1], "", *lines[2:]]) + "\n"
