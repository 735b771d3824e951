"""A suite, set by set: every model beside its baselines, as one table that a stopped command goes on with."""

import shutil
from collections.abc import Callable
from dataclasses import asdict
from typing import Any

from lifecode.tasks.competitors.competitor import Say
from lifecode.tasks.competitors.opened_task import given_keys
from lifecode.tasks.contest import Contest, Entry, best_of
from lifecode.tasks.evidence import evidence_of, ranked
from lifecode.tasks.pairs.pair_baselines import pair_warnings
from lifecode.tasks.suites.benchmark import ZeroShotSet
from lifecode.tasks.suites.kept_examples import examples_table
from lifecode.tasks.suites.results import Measured, Role, Row
from lifecode.tasks.suites.under_way import SetUnderWay


def measured(under_way: SetUnderWay, say: Say) -> Measured:
    """The table of a set; what is missing of it is made first."""
    one, metric, labels, notes, contest, competitors, cells, leaks, pairs, ids, texts, opened, *_ = under_way
    entries: dict[str, Entry] = {}
    for competitor in competitors:
        before = _teller(say, f"{one.name}, {competitor.name}: fitting")
        was_done = cells.is_done(competitor)
        entries[competitor.name] = contest.measured(cells.predictions(competitor, before))
        if not was_done:  # now the cell holds what is needed of its trainings
            shutil.rmtree(under_way.work, ignore_errors=True)
    names = [competitor.name for competitor in competitors if competitor.role == "model"]
    beside = {name: entry for name, entry in entries.items() if name not in names}
    tables = {name: contest.table(entries[name], beside, metric) for name in names}
    say(f"{one.name}: looking for leaks")
    scored = isinstance(one, ZeroShotSet)
    published = {} if scored else one.task.published or {}
    of_leaks = leaks()
    metrics = {
        "metric": metric.name,
        "kind": labels.kind,
        "unit": labels.unit if opened is None else opened.unit,
        "task": {} if scored else given_keys(one.task),
        "classes": list(labels.classes),
        **under_way.learnt,
        "split": contest.described(),
        "models": {name: table["test"] for name, table in tables.items()},
        "baselines": {name: entry.summary() for name, entry in beside.items()},
        "differences": {name: table.get("differences", {}) for name, table in tables.items()},
        "published": published,
        "leaks": {} if of_leaks is None else asdict(of_leaks),
        "notes": notes,
        "warnings": [] if pairs is None else pair_warnings(pairs, tables),
        **({"averaged_by": one.averaged_by, "group": one.group} if scored else {}),
    }
    rows = [row for name, table in tables.items() for row in _rows(one.name, name, table, contest)]
    for name, entry in beside.items():
        rows += _figures(one.name, name, "baseline", entry.summary(), contest)
    rows += [
        Row(one.name, name, "published", what, value, None)
        for name, figures in published.items()
        for what, value in figures.items()
    ]
    first = names[0] if names else best_of(entries, metric)
    evidence = evidence_of(contest, entries, first, ids, texts())
    evidence = ranked(evidence) if scored else evidence
    kept = None if opened is None else examples_table(opened)
    return Measured(name=one.name, metrics=metrics, rows=rows, evidence=evidence, examples=kept)


def _rows(name: str, model: str, table: dict[str, Any], contest: Contest) -> list[Row]:
    """Those of a model, that of the compared metric with the difference to the best baseline."""
    rows = _figures(name, model, "model", table["test"], contest)
    best = table.get("best_baseline")
    if best is None:
        return rows
    found = table["differences"][best]
    return [
        row._replace(minus_best=found["mean"], low=found["low"], high=found["high"], best_baseline=best)
        if row.metric == table["metric"]
        else row
        for row in rows
    ]


def _figures(
    name: str, model: str, role: Role, figures: dict[str, dict[str, Any]], contest: Contest
) -> list[Row]:
    held_out = sum(len(one.test) for one in contest.rounds)
    return [
        Row(name, model, role, what, figure["mean"], figure["sd"], held_out=held_out)
        for what, figure in figures.items()
    ]


def _teller(say: Say, text: str) -> Callable[[], None]:
    return lambda: say(text)
