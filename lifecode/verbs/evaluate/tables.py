"""The tables of an evaluation on the terminal: of a set, and of a plan."""

from rich.table import Table

from lifecode.evaluation.metrics import metric_named
from lifecode.names import display_name
from lifecode.tasks.suites.results import Measured, PlannedCell, Row


def set_table(one: Measured) -> Table:
    """Every competitor of a set a row, models first, published figures last and marked as such."""
    metric = one.metrics["metric"]
    heading = f"{one.name}: {metric_named(metric).label}, {one.metrics['split']['kind']}"
    table = Table(title=display_name(heading, 200), title_justify="left")
    for name in ("model", metric, "minus the best baseline (95 %)"):
        table.add_column(name)
    for row in one.rows:
        if row.metric == metric:
            mark = " (published)" if row.role == "published" else ""
            spread = "" if row.sd is None else f" ± {row.sd:.3f}"
            difference = (
                ""
                if row.minus_best is None
                else f"{row.minus_best:+.3f} ({row.low:+.3f} to {row.high:+.3f}), {row.best_baseline}"
            )
            table.add_row(f"{display_name(row.model)}{mark}", f"{row.mean:.3f}{spread}", difference)
    return table


def average_tables(rows: list[Row]) -> list[Table]:
    """The averages over sets, a table for all and one for each group."""
    found = []
    for name in dict.fromkeys(row.set for row in rows):
        own = [row for row in rows if row.set == name]
        table = Table(title=display_name(name, 200), title_justify="left")
        for heading in ("model", own[0].metric):
            table.add_column(heading)
        for row in own:
            spread = "" if row.sd is None else f" ± {row.sd:.3f}"
            table.add_row(display_name(row.model), f"{row.mean:.3f}{spread}")
        found.append(table)
    return found


def plan_table(cells: list[PlannedCell]) -> Table:
    """A line a set: its examples, and which competitors are there and which are missing."""
    table = Table(title="Plan", title_justify="left")
    for name in ("set", "learnt from", "held out", "rounds", "done", "to do"):
        table.add_column(name)
    by_set: dict[str, list[PlannedCell]] = {}
    for cell in cells:
        by_set.setdefault(cell.set, []).append(cell)
    for name, own in by_set.items():
        words = [", ".join(cell.model for cell in own if cell.done is state) for state in (True, False)]
        first = own[0]
        numbers = (f"{value:,}" for value in (first.learnt_from, first.held_out, first.rounds))
        table.add_row(display_name(name), *numbers, *(display_name(each, 500) for each in words))
    return table
