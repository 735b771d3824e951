"""Masked codon cross-entropy of each input file by group: a mean over species hides which of them gained."""

from functools import partial
from typing import NamedTuple

from lifecode.evaluation.metrics import BOTH_NEIGHBOURS, CODON_UNIGRAM, MASKED_CODON_CROSS_ENTROPY
from lifecode.report.run.metric_table import measured
from lifecode.report.sweep.run_groups import Group, Grouping
from lifecode.report.sweep.runs import Run
from lifecode.report.sweep.spread import Spread, formatted, spread_over
from lifecode.report.sweep.tables import Columns, SweepTable

_FIGURE = MASKED_CODON_CROSS_ENTROPY.name


class SourceTables(NamedTuple):
    """Nats by group and input file, lower is better.

    Attributes:
        figures: of each group, then the baselines, counted on the training genes of the same file.
        differences: each group minus another, seed by seed; None without such a pair.
    """

    figures: SweepTable
    differences: SweepTable | None


def _source_names(grouping: Grouping) -> list[str]:
    """Input files that finished runs have figures of, in their order."""
    runs = (run for group in grouping.groups for run in group.finished)
    return list(dict.fromkeys(name for run in runs for name in run.metrics.get("sources") or {}))


def _source_figure(run: Run, name: str, section: str = "heldout", figure: str = _FIGURE) -> float | None:
    """A figure of one input file, or None where it was not measured."""
    return measured((run.metrics.get("sources") or {}).get(name) or {}, section, figure)


def source_columns(grouping: Grouping) -> Columns:
    """Columns of results.csv: the figure and its stronger baseline, of every input file."""
    columns = {}
    for name in _source_names(grouping):
        columns[f"{_FIGURE} of {name}"] = partial(_source_figure, name=name)
        columns[f"{BOTH_NEIGHBOURS.name} of {name}"] = partial(
            _source_figure, name=name, section="baselines", figure=BOTH_NEIGHBOURS.name
        )
    return columns


def source_tables(grouping: Grouping, minus: str | None) -> SourceTables | None:
    """The tables, or None for runs of one input file.

    Args:
        grouping: of the runs.
        minus: label of the group that the others are compared with, or None.
    """
    names = _source_names(grouping)
    if not names:
        return None
    evaluated = {group.label: group for group in grouping.groups if group.finished}
    spreads = {label: [_spread(group, name) for name in names] for label, group in evaluated.items()}
    rows = [
        (label, tuple(formatted(x, MASKED_CODON_CROSS_ENTROPY) for x in own))
        for label, own in spreads.items()
    ]
    for baseline in (BOTH_NEIGHBOURS, CODON_UNIGRAM):
        cells = (formatted(_of_each_seed(grouping, name, baseline.name), baseline) for name in names)
        rows.append((baseline.label, tuple(cells)))
    differences = [
        (label, tuple(formatted(a.minus(b), MASKED_CODON_CROSS_ENTROPY, signed=True) for a, b in pairs))
        for label, own in spreads.items()
        if label != minus and (pairs := list(zip(own, spreads.get(minus or "", []), strict=False)))
    ]
    headings = tuple(names)
    return SourceTables(
        SweepTable(headings, tuple(rows)), SweepTable(headings, tuple(differences)) if differences else None
    )


def _spread(group: Group, name: str) -> Spread:
    return spread_over(group, lambda run: _source_figure(run, name))


def _of_each_seed(grouping: Grouping, name: str, figure: str) -> Spread:
    """A baseline at the held-out positions, once a seed: the groups share split and masks."""
    values: dict[str, float] = {}
    for run in (run for group in grouping.groups for run in group.finished):
        value = _source_figure(run, name, "baselines", figure)
        if value is not None:
            values.setdefault(str(run.seed), value)
    return Spread(values)
