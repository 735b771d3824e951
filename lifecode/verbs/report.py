"""`lifecode report`: the runs of a sweep in one page, by what differs between them."""

from pathlib import Path

from omegaconf import DictConfig

from lifecode.app.configs.construct import checked_value
from lifecode.errors import UserError
from lifecode.names import display_name, visible
from lifecode.report.sweep.page import OF_SOURCES, SweepReport, write_sweep_report
from lifecode.report.sweep.tables import SweepTable

_LONGEST = 200


def run(config: DictConfig) -> None:
    """Read the runs, write the page and its tables, and print the table."""
    inputs = checked_value(config, "input", str | list[str])
    folders = [Path(path).expanduser() for path in ([inputs] if isinstance(inputs, str) else inputs)]
    output = checked_value(config, "output", str | None)
    if output is None and len(folders) != 1:
        raise UserError("output needs a value, for several inputs", remedy="Give output=FOLDER")
    place = folders[0] if output is None else Path(output).expanduser()
    name = checked_value(config, "name", str | None)
    report = write_sweep_report(folders, place, name=name or place.resolve().name)
    print(terminal_table(report.grouping.heading, report.table))
    if report.sources:
        print(f"\n{OF_SOURCES}")
        print(terminal_table(report.grouping.heading, report.sources.figures))
    _say_what_is_open(report)
    print(
        f"\nThe report is in {visible(str(report.page))}, with results.csv, results.md and figures beside it"
    )


def terminal_table(heading: str, table: SweepTable) -> str:
    """A line for each group, its columns as wide as they need to be."""
    lines = [[heading, *(display_name(name, _LONGEST) for name in table.headings)]]
    lines += [[label, *(cell.value for cell in cells)] for label, cells in table.rows]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    return "\n".join(
        "  ".join(
            [line[0].ljust(widths[0]), *(w.rjust(n) for w, n in zip(line[1:], widths[1:], strict=True))]
        )
        for line in lines
    )


def _say_what_is_open(report: SweepReport) -> None:
    for sentence in report.caveats:
        print(f"\n{visible(sentence)}", end="")
    if report.caveats:
        print()
    for fact in report.open_runs:
        print(f"not in the table: {visible(fact.label)} ({visible(fact.value)})")
