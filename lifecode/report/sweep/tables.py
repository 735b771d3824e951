"""The numbers of a sweep: a table by group, differences from its first group, files for other programs."""

import csv
import io
from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

from lifecode.evaluation.metrics import (
    BOTH_NEIGHBOURS,
    CODON_UNIGRAM,
    MAJORITY_RESIDUE,
    NUCLEOTIDES_PER_SECOND,
    in_usual_order,
    metric_named,
)
from lifecode.names import csv_cell, markdown_cell
from lifecode.report.run.metric_table import measured
from lifecode.report.sweep.run_groups import Group, Grouping
from lifecode.report.sweep.runs import Run
from lifecode.report.sweep.spread import (
    Formatted,
    Spread,
    figure_names,
    formatted,
    heldout_spread,
    in_unit,
    num_parameters,
    spread_over,
    throughput,
    unit,
)

Speed = Callable[[Run], float | None]
Columns = Mapping[str, Callable[[Run], float | None]]


class SweepTable(NamedTuple):
    """Column headings, and (label, cells) a row."""

    headings: tuple[str, ...]
    rows: tuple[tuple[str, tuple[Formatted, ...]], ...]


def sweep_figure_names(grouping: Grouping) -> list[str]:
    """Held-out figures in the order of the columns."""
    return in_usual_order(figure_names(grouping.groups))


def sweep_table(grouping: Grouping, speed: Speed) -> SweepTable:
    """Seeds, parameters, every held-out figure and the throughput of each group, mean ± sd and range."""
    names = sweep_figure_names(grouping)
    headings = ("Seeds", "Parameters", *map(_heading_of, names), "1,000 nucleotides/s")
    rows = []
    for group in grouping.groups:
        cells = [
            Formatted(str(len(group.finished)), _not_finished(group)),
            Formatted(_parameters(group), ""),
            *(formatted(heldout_spread(group, name), metric_named(name)) for name in names),
            _speed(spread_over(group, speed)),
        ]
        rows.append((group.label, tuple(cells)))
    return SweepTable(headings, tuple(rows))


def difference_table(grouping: Grouping) -> tuple[str, SweepTable] | None:
    """Each group minus one of them, seed by seed, and the label of that one; None where no seed has both.

    It is the first of those that have the most figures in common with the others.
    """
    names = sweep_figure_names(grouping)
    evaluated = [group for group in grouping.groups if group.finished]
    if len(evaluated) < 2:
        return None
    first = max(evaluated, key=lambda group: _in_common(group, evaluated, names))
    rows = []
    for group in (group for group in evaluated if group is not first):
        spreads = [heldout_spread(group, name).minus(heldout_spread(first, name)) for name in names]
        pairs = zip(spreads, names, strict=True)
        cells = tuple(formatted(spread, metric_named(name), signed=True) for spread, name in pairs)
        if any(cell.value for cell in cells):
            rows.append((group.label, cells))
    headings = tuple(_heading_of(name, difference=True) for name in names)
    return (first.label, SweepTable(headings, tuple(rows))) if rows else None


def _in_common(group: Group, others: Sequence[Group], names: Sequence[str]) -> int:
    own = [heldout_spread(group, name) for name in names]
    theirs = [[heldout_spread(other, name) for name in names] for other in others]
    return sum(bool(a.minus(b).by_seed) for spreads in theirs for a, b in zip(own, spreads, strict=True))


def _heading_of(name: str, *, difference: bool = False) -> str:
    """Label of a held-out figure with its unit."""
    metric = metric_named(name)
    return ", ".join(filter(None, (metric.label, unit(metric, difference=difference))))


def baseline_lines(grouping: Grouping) -> list[str]:
    """What the codon statistics reach at the same positions, over all runs: `Codon unigram 3.914 (...)`."""
    everyone = Group("", tuple(run for group in grouping.groups for run in group.runs))
    lines = []
    for metric in (CODON_UNIGRAM, BOTH_NEIGHBOURS, MAJORITY_RESIDUE):
        spread = spread_over(everyone, lambda run, name=metric.name: measured(run.metrics, "baselines", name))
        if spread.mean is not None:
            low, high = (in_unit(x, metric) for x in (min(spread.values), max(spread.values)))
            lines.append(f"{metric.label} {low} to {high} {unit(metric)}")
    return lines


def results_csv(grouping: Grouping, runs: Sequence[Run], more: Columns) -> str:
    """A line per run, unfinished ones too: group, what differs, seed, figures and `more` with all digits."""
    names = sweep_figure_names(grouping)
    label_of = {run.folder: group.label for group in grouping.groups for run in group.runs}
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    fixed = ("group", "seed", "status", "note", *grouping.keys, "encoder_steps", "parameters")
    measures = (NUCLEOTIDES_PER_SECOND.name, "runs_at_a_time", "seconds", "folder")
    writer.writerow(map(csv_cell, [*fixed, *names, *more, *measures]))
    for run in runs:
        done = run.status == "finished"
        figures = [measured(run.metrics, "heldout", name) for name in names]
        row = [
            label_of.get(run.folder, ""),
            run.seed,
            run.status,
            run.note,
            *(run.config.get(key) for key in grouping.keys),
            run.metrics["model"]["encoder_steps"] if done else None,
            num_parameters(run) if done else None,
            *figures,
            *(figure(run) for figure in more.values()),
            throughput(run),
            run.provenance.get("runs_at_a_time"),
            (run.metrics.get("timing") or {}).get("seconds"),
            run.folder.as_posix(),
        ]
        writer.writerow(map(csv_cell, row))
    return text.getvalue()


def markdown_table(heading: str, table: SweepTable) -> str:
    """The table in Markdown, each range behind its mean."""
    headings = map(markdown_cell, [heading.capitalize(), *table.headings])
    lines = [
        f"| {' | '.join(headings)} |",
        f"| {' | '.join(['---'] * (len(table.headings) + 1))} |",
    ]
    for label, cells in table.rows:
        words = [f"{cell.value} ({cell.range})" if cell.range else cell.value for cell in cells]
        lines.append(f"| {' | '.join(map(markdown_cell, [label, *words]))} |")
    return "\n".join(lines) + "\n"


def _not_finished(group: Group) -> str:
    left = len(group.runs) - len(group.finished) + len(group.missing)
    return f"{left} not finished" if left else ""


def _parameters(group: Group) -> str:
    sizes = sorted({num_parameters(run) for run in group.finished})
    return " to ".join(f"{size:,}" for size in dict.fromkeys((sizes[0], sizes[-1]))) if sizes else ""


def _speed(spread: Spread) -> Formatted:
    """Thousands of nucleotides per second with two decimals."""
    if spread.mean is None:
        return Formatted("", "")
    values = [value / 1000 for value in spread.values]
    mean = f"{spread.mean / 1000:.2f}"
    if spread.deviation is None:
        return Formatted(mean, "")
    return Formatted(f"{mean} ± {spread.deviation / 1000:.2f}", f"{min(values):.2f} to {max(values):.2f}")
