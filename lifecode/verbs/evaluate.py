"""`lifecode evaluate`: models on a benchmark as downloaded, beside baselines, in one table that goes on."""

import csv
import io
import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from omegaconf import DictConfig
from rich import print as print_table

from lifecode.app.configs.construct import checked_value, construct
from lifecode.arguments import arguments_checked
from lifecode.errors import UserError
from lifecode.host.activity import told
from lifecode.host.durable import disk_faults_named, replacing
from lifecode.host.exclusive import exclusive
from lifecode.host.own_folder import require_own
from lifecode.models.families import load
from lifecode.models.saved import SavedModel
from lifecode.names import csv_cell, display_name
from lifecode.report.charts.figure_style import use_colours
from lifecode.report.task.evaluation_page import write_evaluation_report
from lifecode.report.task.page import write_task_report
from lifecode.tasks.competitors.competitor import ModelReader, Reader, Say
from lifecode.tasks.finetune import COMPARED
from lifecode.tasks.names_in_tables import AnyBaseline, TaskKind, model_name, require_baselines
from lifecode.tasks.pairs.pair_head import PairHead
from lifecode.tasks.peers.transformers_peer import TransformersPeer
from lifecode.tasks.probe import Probe
from lifecode.tasks.suites.benchmark import BenchmarkSet, Suite, chosen_sets
from lifecode.tasks.suites.evaluation import measured
from lifecode.tasks.suites.kept_examples import EXAMPLES
from lifecode.tasks.suites.results import Evaluation, Measured, PlannedCell, Row
from lifecode.tasks.suites.settings import Settings
from lifecode.tasks.suites.under_way import SetUnderWay, opened_set, planned, read_set
from lifecode.tasks.tables import write_table
from lifecode.verbs.evaluate_tables import average_tables, plan_table, set_table

Broken = dict[str, UserError]
"""Why sets could not be read, by name."""
CELLS, SETS, RESULTS, METRICS, _LOCK = "cells", "sets", "results.csv", "metrics.json", ".evaluate.lock"


@arguments_checked
def evaluate(
    suite: Suite,
    root: str | Path,
    checkpoints: Sequence[str | Path | SavedModel] = ("lifecode-mini",),
    *,
    run_dir: str | Path,
    sets: list[str] | None = None,
    peers: Mapping[str, TransformersPeer] | None = None,
    probe: Probe | None = None,
    pair: PairHead | None = None,
    seeds: int = 1,
    folds: int = 5,
    seed: int = 0,
    baselines: Sequence[AnyBaseline] | None = None,
    without: Sequence[AnyBaseline] = (),
    drop_leaks: bool = False,
    progress: bool = True,
) -> Evaluation:
    """Measure models on a benchmark, set by set; what a `run_dir` holds already is not made again.

    Args:
        suite: the layout of the benchmark, such as `lifecode.tasks.suites.layouts.gue.Gue()`.
        root: folder or file, as downloaded.
        checkpoints: names or folders of models, or models.
        run_dir: folder of the table.
        sets: names; None takes all that are there.
        peers: models of transformers, by the name of their row.
        probe: what heads read; None takes the default.
        pair: how both sides of pairs are joined; None takes the default.
        seeds: splits into folds; with a test file, choices of the head's strength.
        folds: held out in turn, where a set has no test file.
        seed: the first of the seeds.
        baselines: None takes all that fit; of those named each set takes the ones that it has.
        without: baselines that are left out of these, such as `cnn`, which takes longest.
        drop_leaks: leave out of test files what is learnt from as it is, as its reverse complement or as a
            near twin, and what one of the models has read, unless that is more than half.
        progress: show on stderr what is being done.

    Raises:
        UserError: what the files or settings do not allow, or a `run_dir` that is something else. A set that
            cannot be read is said when all others are measured and written.
    """
    settings = Settings(
        probe=probe or Probe(),
        seeds=seeds,
        folds=folds,
        seed=seed,
        baselines=baselines,
        without=without,
        drop_leaks=drop_leaks,
        pair=pair or PairHead(),
    )
    chosen = _chosen(suite, root, sets, settings)
    broken: Broken = {}
    with told(progress) as say:
        readers = _readers(checkpoints, peers or {})
        found = _evaluated(chosen, readers, settings, Path(run_dir).expanduser(), say, broken)
    _refuse(broken)
    return found


def run(config: DictConfig) -> Evaluation | list[PlannedCell]:
    """Measure, or plan, and print the table."""
    use_colours(construct(config.figures))
    settings = Settings(
        probe=construct(config.probe),
        seeds=checked_value(config, "seeds", int),
        folds=checked_value(config, "folds", int),
        seed=checked_value(config, "seed", int),
        baselines=checked_value(config, "baselines", list[str] | None),
        without=checked_value(config, "without", list[str]),
        drop_leaks=checked_value(config, "drop_leaks", bool),
        pair=construct(config.pair),
    )
    run_dir = Path(checked_value(config, "run_dir", str)).expanduser()
    root, sets = checked_value(config, "root", str), checked_value(config, "sets", list[str] | None)
    chosen = _chosen(construct(config.suite), root, sets, settings)
    peers = {name: construct(config.peer[name]) for name in config.peer}
    readers = _readers(checked_value(config, "checkpoints", list[str]), peers)
    broken: Broken = {}
    if checked_value(config, "plan", bool):
        with told(True) as say:
            cells = _plan(chosen, readers, settings, run_dir, say, broken)
        print_table(plan_table(cells))
        _say_left_out(chosen)
        missing = sum(not cell.done for cell in cells)
        print(f"{missing:,} of {len(cells):,} cells would be made in {run_dir}")
        _refuse(broken)
        return cells
    with told(True) as say:
        found = _evaluated(chosen, readers, settings, run_dir, say, broken)
    for one in found.sets:
        print_table(set_table(one))
        for line in (*one.metrics["notes"], *one.metrics["warnings"]):
            print(display_name(line, 500))
    for table in average_tables(found.averages):
        print_table(table)
    _say_left_out(chosen)
    print(f"\n{RESULTS}, {METRICS} and report.html are in {run_dir}")
    _refuse(broken)
    return found


def _chosen(suite: Suite, root: str | Path, sets: list[str] | None, settings: Settings) -> list[BenchmarkSet]:
    """The sets of these names, or all; of the baselines that are named each has to be of one of them."""
    chosen = chosen_sets(suite, Path(root).expanduser(), sets)
    kinds: list[TaskKind] = list(dict.fromkeys(one.kind for one in chosen))
    fitting = list(dict.fromkeys(name for one in chosen for name in one.baselines))
    for key, names in (("baselines", settings.baselines), ("without", settings.without)):
        require_baselines(names, key, kinds)
        for name in names or ():
            if name not in fitting:
                first = ", ".join(one.name for one in chosen[:5])
                what = f"{name!r} is a baseline of none of these sets ({first})"
                raise UserError(what, source=key, remedy=f"Use {', '.join(fitting)}")
    return chosen


def _evaluated(
    chosen: list[BenchmarkSet],
    readers: list[Reader],
    settings: Settings,
    run_dir: Path,
    say: Say,
    broken: Broken,
) -> Evaluation:
    left_out = {one.name: one.left_out for one in chosen if one.left_out is not None}
    found: list[Measured] = []
    with _own_run(run_dir):
        for under_way in _under_way(chosen, readers, settings, run_dir, say, broken):
            found.append(measured(under_way, say))
            say(f"{found[-1].name}: writing its page")
            _write_set(found[-1], run_dir / SETS / found[-1].name)
            _write(Evaluation(sets=found, left_out=left_out), run_dir)
        if broken and not found:
            _refuse(broken)
        left_out |= {name: str(fault) for name, fault in broken.items()}
        _write(Evaluation(sets=found, left_out=left_out), run_dir)
        sets = {one.name: one.metrics for one in found}
        write_evaluation_report(run_dir, sets, left_out, name=run_dir.resolve().name)
    return Evaluation(sets=found, left_out=left_out)


def _plan(
    chosen: list[BenchmarkSet],
    readers: list[Reader],
    settings: Settings,
    run_dir: Path,
    say: Say,
    broken: Broken,
) -> list[PlannedCell]:
    return [
        cell
        for under_way in _under_way(chosen, readers, settings, run_dir, say, broken)
        for cell in planned(under_way)
    ]


def _under_way(
    chosen: list[BenchmarkSet],
    readers: list[Reader],
    settings: Settings,
    run_dir: Path,
    say: Say,
    broken: Broken,
) -> Iterator[SetUnderWay]:
    """Every set that is not left out, read when it is its turn; those that cannot be go to `broken`."""
    for one in chosen:
        if one.left_out is not None:
            continue
        try:
            read = read_set(one, readers, settings, say)
        except UserError as fault:
            broken[one.name] = fault
            continue
        yield opened_set(one, read, readers, settings, run_dir / CELLS, say)


def _refuse(broken: Broken) -> None:
    """Raises the fault of a set, or one of several, that could not be read."""
    if not broken:
        return
    name, fault = next(iter(broken.items()))
    if len(broken) == 1:
        raise fault
    raise UserError(f"{len(broken)} sets cannot be read ({', '.join(broken)}); of {name}: {fault}") from fault


def _readers(
    checkpoints: Sequence[str | Path | SavedModel], peers: Mapping[str, TransformersPeer]
) -> list[Reader]:
    found: list[Reader] = [peer.reader(model_name(name)) for name, peer in peers.items()]
    for number, checkpoint in enumerate(checkpoints, start=1):
        given = isinstance(checkpoint, SavedModel)
        name = f"model {number}" if given else model_name(str(checkpoint))
        if name in (reader.name for reader in found):
            raise UserError(f"names {name!r} twice", source="checkpoints")
        found.append(ModelReader(name, checkpoint if given else load(checkpoint)))
    return found


@contextmanager
def _own_run(run_dir: Path) -> Iterator[None]:
    """Refuses a folder that holds anything but an evaluation; one process at a time."""
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


def _write_set(one: Measured, folder: Path) -> None:
    """The page of a set and what it shows, unless they are there as they would be."""
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


def _write(found: Evaluation, run_dir: Path) -> None:
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


def _say_left_out(chosen: list[BenchmarkSet]) -> None:
    for one in chosen:
        if one.left_out is not None:
            print(f"left out: {display_name(one.name, 200)} ({one.left_out})")
