"""The folder of an evaluation: its cells, a page for each set, and the table of all of them."""

import csv
import io
import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from lifecode.errors import UserError
from lifecode.host.durable import disk_faults_named, replacing
from lifecode.host.exclusive import exclusive
from lifecode.host.own_folder import require_own
from lifecode.names import csv_cell
from lifecode.report.task.page import write_task_report
from lifecode.tasks.finetune import COMPARED
from lifecode.tasks.suites.kept_examples import EXAMPLES
from lifecode.tasks.suites.results import Evaluation, Measured, Row
from lifecode.tasks.tables import write_table

CELLS, RESULTS, METRICS = "cells", "results.csv", "metrics.json"
_SETS, _LOCK = "sets", ".evaluate.lock"


@contextmanager
def own_folder(run_dir: Path) -> Iterator[None]:
    """For one process at a time; refuses a folder that holds anything but an evaluation."""
    if run_dir.exists() and not run_dir.is_dir():
        raise UserError("is no folder", source=run_dir, remedy="Choose another run_dir")
    if run_dir.exists() and any(run_dir.iterdir()) and not (run_dir / CELLS).is_dir():
        raise UserError(
            "is there already, and holds no evaluation", source=run_dir, remedy="Choose another run_dir"
        )
    with disk_faults_named(run_dir, remedy="Choose a run_dir where you may write and which has room"):
        (run_dir / CELLS).mkdir(parents=True, exist_ok=True)
        require_own(run_dir)
        with exclusive(run_dir / _LOCK, "writing this table"):
            yield


def write_set(one: Measured, run_dir: Path) -> None:
    """The page of a set and what it shows, unless they are there as they would be."""
    folder = run_dir / _SETS / one.name
    text = json.dumps(one.task_metrics, indent=2, ensure_ascii=False) + "\n"
    path, kept = folder / METRICS, one.examples is not None
    there = all(
        (folder / name).is_file() for name in ("report.html", *((EXAMPLES, COMPARED) if kept else ()))
    )
    if there and path.is_file() and path.read_text(encoding="utf-8") == text:
        return
    folder.mkdir(parents=True, exist_ok=True)
    if one.examples is not None:
        write_table(one.examples, folder / EXAMPLES)
        write_table(one.evidence.compared, folder / COMPARED)
    notes = list(one.metrics["notes"])
    write_task_report(folder, one.task_metrics, one.evidence, name=one.name, notes=notes)
    with replacing(path) as file:
        file.write(text.encode())


def write_tables(found: Evaluation, run_dir: Path) -> None:
    """What was measured so far, as CSV and JSON."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(Row._fields)
    for row in found.rows:
        writer.writerow("" if value is None else csv_cell(value) for value in row)
    sets = {one.name: one.metrics for one in found.sets}
    content = {"sets": sets, "left_out": found.left_out}
    if found.averages:
        content["averages"] = [row._asdict() for row in found.averages]
    described = json.dumps(content, indent=2, ensure_ascii=False)
    for name, content in ((RESULTS, text.getvalue()), (METRICS, described + "\n")):
        with replacing(run_dir / name) as file:
            file.write(content.encode())
