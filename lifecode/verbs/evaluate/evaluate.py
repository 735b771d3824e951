"""`lifecode evaluate`: models on a benchmark as downloaded, beside baselines, in one table that goes on."""

import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from omegaconf import DictConfig
from rich import print as print_table

from lifecode.app.configs.construct import checked_value, construct
from lifecode.arguments import arguments_checked
from lifecode.errors import UserError
from lifecode.host.activity import told
from lifecode.models.families import load
from lifecode.models.saved import SavedModel
from lifecode.names import display_name
from lifecode.report.charts.figure_style import use_colours
from lifecode.report.task.evaluation_page import write_evaluation_report
from lifecode.tasks.competitors.competitor import ModelReader, Reader, Say
from lifecode.tasks.names_in_tables import AnyBaseline, TaskKind, model_name, require_baselines
from lifecode.tasks.pairs.pair_head import PairHead
from lifecode.tasks.peers.transformers_peer import TransformersPeer
from lifecode.tasks.probe import Probe
from lifecode.tasks.suites.benchmark import BenchmarkSet, Suite, chosen_sets
from lifecode.tasks.suites.evaluation import measured
from lifecode.tasks.suites.results import Evaluation, Measured, PlannedCell
from lifecode.tasks.suites.settings import Settings
from lifecode.tasks.suites.under_way import SetUnderWay, opened_set, planned, read_set
from lifecode.tasks.tuning.settings import Fit, Lora, TrainedHead, Tuning
from lifecode.verbs import tuning_keys
from lifecode.verbs.evaluate.table_folder import CELLS, METRICS, RESULTS, own_folder, write_set, write_tables
from lifecode.verbs.evaluate.tables import average_tables, plan_table, set_table


@arguments_checked
def evaluate(
    suite: Suite,
    root: str | Path,
    checkpoints: Sequence[str | Path | SavedModel] = ("lifecode-mini",),
    *,
    run_dir: str | Path,
    sets: list[str] | None = None,
    peers: Mapping[str, TransformersPeer] | None = None,
    tuning: Tuning = "probe",
    probe: Probe | None = None,
    head: TrainedHead | None = None,
    fit: Fit | None = None,
    lora: Lora | None = None,
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
        tuning: as of `lifecode.finetune`, for every model; peers are left out unless it is `probe`.
        probe: what heads of `probe` read; None takes the default.
        head: what heads that are trained by gradient read; likewise.
        fit: how they are trained; likewise.
        lora: the adapters; likewise.
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
        by_gradient=tuning_keys.by_gradient(tuning, head or TrainedHead(), fit or Fit(), lora or Lora()),
        seeds=seeds,
        folds=folds,
        seed=seed,
        baselines=baselines,
        without=without,
        drop_leaks=drop_leaks,
        pair=pair or PairHead(),
    )
    chosen = _chosen(suite, root, sets, settings)
    with told(progress) as say:
        asked = _Asked(chosen, _readers(checkpoints, peers or {}), settings, Path(run_dir).expanduser())
        found = asked.evaluated(say)
    asked.require_all_read()
    return found


def run(config: DictConfig) -> Evaluation | list[PlannedCell]:
    """Measure, or plan, and print the table."""
    use_colours(construct(config.figures))
    tuning = checked_value(config, "tuning", Tuning)
    sections = (construct(config.head), construct(config.fit), construct(config.lora))
    settings = Settings(
        probe=construct(config.probe),
        by_gradient=tuning_keys.by_gradient(tuning, *sections),
        seeds=checked_value(config, "seeds", int),
        folds=checked_value(config, "folds", int),
        seed=checked_value(config, "seed", int),
        baselines=checked_value(config, "baselines", list[str] | None),
        without=checked_value(config, "without", list[str]),
        drop_leaks=checked_value(config, "drop_leaks", bool),
        pair=construct(config.pair),
    )
    root, sets = checked_value(config, "root", str), checked_value(config, "sets", list[str] | None)
    chosen = _chosen(construct(config.suite), root, sets, settings)
    of_pairs = any(one.kind == "pairs" for one in chosen)
    for section in tuning_keys.unread_sections(config, tuning, pairs=of_pairs):
        print(f"lifecode evaluate: {section} is set, and this run does not read it", file=sys.stderr)
    peers = {name: construct(config.peer[name]) for name in config.peer}
    readers = _readers(checked_value(config, "checkpoints", list[str]), peers)
    asked = _Asked(chosen, readers, settings, Path(checked_value(config, "run_dir", str)).expanduser())
    if checked_value(config, "plan", bool):
        return _print_plan(asked)
    with told(True) as say:
        found = asked.evaluated(say)
    for one in found.sets:
        print_table(set_table(one))
        for line in (*one.metrics["notes"], *one.metrics["warnings"]):
            print(display_name(line, 500))
    for table in average_tables(found.averages):
        print_table(table)
    asked.print_left_out()
    print(f"\n{RESULTS}, {METRICS} and report.html are in {asked.run_dir}")
    asked.require_all_read()
    return found


def _print_plan(asked: "_Asked") -> list[PlannedCell]:
    with told(True) as say:
        cells = [cell for under_way in asked.under_way(say) for cell in planned(under_way)]
    print_table(plan_table(cells))
    asked.print_left_out()
    missing = sum(not cell.done for cell in cells)
    print(f"{missing:,} of {len(cells):,} cells would be made in {asked.run_dir}")
    asked.require_all_read()
    return cells


@dataclass(frozen=True, slots=True)
class _Asked:
    """What is measured, of whom, how and where.

    Attributes:
        chosen: sets of the suite.
        readers: models.
        settings: of probes, rounds and baselines.
        run_dir: folder of the table.
        broken: why sets could not be read, by name; known once it was their turn.
    """

    chosen: list[BenchmarkSet]
    readers: list[Reader]
    settings: Settings
    run_dir: Path
    broken: dict[str, UserError] = field(default_factory=dict)

    @property
    def left_out(self) -> dict[str, str]:
        """Why sets are not in the table, by name."""
        unread = {name: str(fault) for name, fault in self.broken.items()}
        return {one.name: one.left_out for one in self.chosen if one.left_out is not None} | unread

    def under_way(self, say: Say) -> Iterator[SetUnderWay]:
        """Every set that is not left out, read when it is its turn."""
        for one in self.chosen:
            if one.left_out is not None:
                continue
            try:
                read = read_set(one, self.readers, self.settings, say)
            except UserError as fault:
                self.broken[one.name] = fault
                continue
            yield opened_set(one, read, self.readers, self.settings, self.run_dir / CELLS, say)

    def evaluated(self, say: Say) -> Evaluation:
        """Measure every set, and write what is known after each."""
        found: list[Measured] = []
        planned_out = self.left_out
        with own_folder(self.run_dir):
            for under_way in self.under_way(say):
                found.append(measured(under_way, say))
                say(f"{found[-1].name}: writing its page")
                write_set(found[-1], self.run_dir)
                write_tables(Evaluation(sets=found, left_out=planned_out), self.run_dir)
            if not found:
                self.require_all_read()
            evaluation = Evaluation(sets=found, left_out=self.left_out)
            write_tables(evaluation, self.run_dir)
            sets = {one.name: one.metrics for one in found}
            write_evaluation_report(self.run_dir, sets, evaluation.left_out, name=self.run_dir.resolve().name)
        return evaluation

    def require_all_read(self) -> None:
        """Raises the fault of a set, or one of several, that could not be read."""
        if not self.broken:
            return
        name, fault = next(iter(self.broken.items()))
        if len(self.broken) == 1:
            raise fault
        names = ", ".join(self.broken)
        raise UserError(f"{len(self.broken)} sets cannot be read ({names}); of {name}: {fault}") from fault

    def print_left_out(self) -> None:
        """Sets that the suite leaves out."""
        for one in self.chosen:
            if one.left_out is not None:
                print(f"left out: {display_name(one.name, 200)} ({one.left_out})")


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
