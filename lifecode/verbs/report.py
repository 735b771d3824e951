"""`lifecode report`: the runs of a sweep in one page, by what differs between them; or one run of LucaOne."""

import json
from collections.abc import Sequence
from pathlib import Path

from omegaconf import DictConfig

from lifecode.app.configs.construct import checked_value, construct
from lifecode.arguments import arguments_checked
from lifecode.errors import UserError
from lifecode.evaluation.metric_rows import read_whole_metric_rows
from lifecode.host.small_file import read_small_text
from lifecode.models.luca_one.model import LucaOne
from lifecode.names import display_name, visible
from lifecode.report.charts.figure_style import use_colours
from lifecode.report.run.letters_page import write_letters_report
from lifecode.report.run.run_files import read_run_metrics
from lifecode.report.sweep.page import OF_SOURCES, SweepReport, write_sweep_report
from lifecode.report.sweep.tables import SweepTable
from lifecode.training.run.run_config import parse_run_config

_LONGEST = 200
_METRICS, _CONFIG = "metrics.json", "config.yaml"


@arguments_checked
def compare_runs(
    input: str | Path | Sequence[str | Path], output: str | Path | None = None, *, name: str | None = None
) -> SweepReport:
    """Compare the runs of a sweep: group them by what differs beside the seed, and write one page.

    Args:
        input: folder of runs, at any depth, or several such folders.
        output: folder for `report.html`, `results.csv`, `results.md` and figures; None is the one input.
        name: title of the page; None is the name of the output folder.

    Raises:
        UserError: several inputs and no output, no finished run, or an output that is a run itself or cannot
            be written.
    """
    folders = [Path(path).expanduser() for path in ([input] if isinstance(input, str | Path) else input)]
    if output is None and len(folders) != 1:
        raise UserError("output needs a value, for several inputs", remedy="Give output=FOLDER")
    place = folders[0] if output is None else Path(output).expanduser()
    return write_sweep_report(folders, place, name=name or place.resolve().name)


def _report_run(folder: str | Path, *, name: str | None = None) -> Path:
    """Write the page of a finished run of LucaOne again, out of the files of its folder.

    Args:
        folder: of the run.
        name: title of the page; None is the name of the run.

    Returns:
        The path of `report.html`.

    Raises:
        UserError: the run is not finished, is damaged, or is of another family, whose page also shows what
            stands in no file.
    """
    folder = Path(folder).expanduser()
    if not _is_run_of_letters(folder):
        raise UserError(
            "is no finished run of LucaOne", source=folder, remedy="Start it again, and it goes on"
        )
    try:
        text = read_small_text(folder / _CONFIG)
        metrics = read_run_metrics(folder / _METRICS)
        name = name or str(parse_run_config(folder / _CONFIG).get("name") or folder.resolve().name)
    except (OSError, ValueError) as fault:
        raise UserError(f"cannot be read ({fault})", source=folder) from fault
    rows = read_whole_metric_rows(folder / "metrics.csv")[0]
    try:
        return write_letters_report(folder, metrics, name=name, rows=rows, config=text)
    except UserError:
        raise
    except (KeyError, TypeError, ValueError, AttributeError) as fault:
        raise UserError(f"is damaged ({fault})", source=folder / _METRICS) from fault


def _is_run_of_letters(folder: Path) -> bool:
    """Whether a folder is a run of LucaOne that has reached its figures."""
    try:
        metrics = json.loads(read_small_text(folder / _METRICS))
        return (folder / _CONFIG).is_file() and metrics["model"]["config"]["family"] == LucaOne.family
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return False


def _is_of_luca_one(folder: Path) -> bool:
    """Whether a folder is a run of LucaOne, finished or not."""
    try:
        return str(parse_run_config(folder / _CONFIG)["model"]["_target_"]).endswith(LucaOne.__name__)
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return False


def run(config: DictConfig) -> SweepReport | Path:
    """Read the runs, write the page and its tables, and print the table."""
    use_colours(construct(config.figures))
    given = checked_value(config, "input", str | list[str])
    output = checked_value(config, "output", str | None)
    if isinstance(given, str) and _is_of_luca_one(Path(given).expanduser()):
        if output is not None:
            raise UserError(
                "has no effect on one run, whose page lies in its folder",
                source="output",
                remedy="Leave it out",
            )
        page = _report_run(given, name=checked_value(config, "name", str | None))
        print(f"The report is in {visible(str(page))}")
        return page
    report = compare_runs(
        given,
        output,
        name=checked_value(config, "name", str | None),
    )
    print(_terminal_table(report.grouping.heading, report.table))
    if report.sources:
        print(f"\n{OF_SOURCES}")
        print(_terminal_table(report.grouping.heading, report.sources.figures))
    _say_what_is_open(report)
    print(
        f"\nThe report is in {visible(str(report.page))}, with results.csv, results.md and figures beside it"
    )
    return report


def _terminal_table(heading: str, table: SweepTable) -> str:
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
