"""A suite, set by set: every model beside its baselines, as one table that a stopped command goes on with."""

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, get_args

from lifecode.errors import UserError
from lifecode.tasks.baselines import Baseline
from lifecode.tasks.competitors.competitor import Competitor, Reader, Say
from lifecode.tasks.competitors.of_pairs import of_pairs
from lifecode.tasks.competitors.of_sequences import of_sequences
from lifecode.tasks.contest import Contest, Entry, best_of
from lifecode.tasks.evidence import Evidence, evidence_of
from lifecode.tasks.examples.labels import Labels
from lifecode.tasks.pairs.pair_baselines import PairBaseline, pair_warnings
from lifecode.tasks.pairs.pair_examples import PairExamples, PairLeaks, pair_leaks
from lifecode.tasks.pairs.pair_head import PairHead
from lifecode.tasks.pairs.pair_rounds import rounds_of_pairs
from lifecode.tasks.probe import Probe
from lifecode.tasks.scores import chosen_metric
from lifecode.tasks.splits.leaks import Leaks, find_leaks
from lifecode.tasks.splits.rounds import rounds_of
from lifecode.tasks.suites.benchmark import BenchmarkSet, PairSet
from lifecode.tasks.suites.cells import Cells

if TYPE_CHECKING:
    from pandas import DataFrame

Role = Literal["model", "baseline", "published"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """How every set of an evaluation is measured.

    Attributes:
        probe: what heads read, and which head.
        seeds: splits into folds; with a test file, choices of the head's strength.
        folds: held out in turn, where a set has no test file.
        seed: the first of the seeds.
        baselines: None takes all that fit; of those that are named each set takes the ones of its unit.
        without: baselines that are left out.
        pair: how both sides of a pair are joined, and the head of pairs.
    """

    probe: Probe
    seeds: int = 1
    folds: int = 5
    seed: int = 0
    baselines: Sequence[Baseline | PairBaseline] | None = None
    without: Sequence[Baseline | PairBaseline] = ()
    pair: PairHead = field(default_factory=PairHead)

    def __post_init__(self) -> None:
        if self.seeds < 1:
            raise UserError("is less than 1", source="seeds")

    @property
    def all_seeds(self) -> list[int]:
        """From the first on."""
        return [self.seed + i for i in range(self.seeds)]

    def baselines_among(self, unit: Any) -> list[Any] | None:
        """Those that are named and of a unit, `Baseline` or `PairBaseline`; None where none are named."""
        if self.baselines is None:
            return None
        return [name for name in self.baselines if name in get_args(unit)]


class Row(NamedTuple):
    """One figure of one row of a table.

    Attributes:
        set: name of the set.
        model: name of the competitor.
        role: `model` is asked about; `published` is another's figure, of other rounds.
        metric: name.
        mean: over rounds.
        sd: over rounds; None for one.
        minus_best: our mean minus that of the best baseline, in the metric of the set, of models.
        low: end of its 95 % interval.
        high: the other end.
        best_baseline: its name.
        held_out: examples that were predicted, of all rounds.
    """

    set: str
    model: str
    role: Role
    metric: str
    mean: float
    sd: float | None
    minus_best: float | None = None
    low: float | None = None
    high: float | None = None
    best_baseline: str | None = None
    held_out: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """What one set gave.

    Attributes:
        name: of the set.
        metrics: as `Contest.table` has them, for each model, and notes, leaks and the split.
        rows: of the table.
        evidence: what every model says of the held-out examples.
    """

    name: str
    metrics: dict[str, Any]
    rows: list[Row]
    evidence: Evidence

    @property
    def task_metrics(self) -> dict[str, Any]:
        """The metrics of the first model, or of the best baseline, as metrics.json of a task has them."""
        found, name = dict(self.metrics), self.evidence.model
        models, differences = found.pop("models"), found.pop("differences").get(name)
        others = models | found["baselines"]
        found |= {"encoder": name, "test": others.pop(name), "baselines": others}
        if differences:
            best = next(row.best_baseline for row in self.rows if row.model == name and row.best_baseline)
            found |= {"differences": differences, "best_baseline": best}
        return found


class PlannedCell(NamedTuple):
    """A cell of the table, and whether it is there."""

    set: str
    model: str
    done: bool
    learnt_from: int
    held_out: int
    rounds: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Evaluation:
    """The table of a suite.

    Attributes:
        sets: what each gave, in the order of the suite.
        left_out: why sets are not in the table, by name.
    """

    sets: list[Measured]
    left_out: dict[str, str]

    @property
    def rows(self) -> list[Row]:
        """Of all sets."""
        return [row for one in self.sets for row in one.rows]

    @property
    def frame(self) -> "DataFrame":
        """`rows` as a pandas frame."""
        from pandas import DataFrame

        return DataFrame(self.rows, columns=list(Row._fields))


class SetUnderWay(NamedTuple):
    """A set that has been read: labels, rounds, competitors, cells, and what is looked for at its end."""

    one: BenchmarkSet
    labels: Labels
    notes: list[str]
    contest: Contest
    competitors: list[Competitor]
    cells: Cells
    leaks: Callable[[], Leaks | PairLeaks]
    pairs: PairExamples | None
    ids: list[str]
    texts: Callable[[], list[str]]


def opened_set(
    one: BenchmarkSet, readers: Sequence[Reader], settings: Settings, folder: Path, say: Say
) -> SetUnderWay:
    """Read a set and split it.

    Raises:
        UserError: what its files or the settings do not allow.
    """
    say(f"{one.name}: reading")
    if isinstance(one, PairSet):
        return _opened_pairs(one, readers, settings, folder / one.name, say)
    data = one.data()
    rounds = rounds_of(one.task, data, num_folds=settings.folds, seeds=settings.all_seeds)
    contest = Contest(rounds, data.labels)
    found = of_sequences(
        data,
        rounds.examples,
        readers,
        settings.probe,
        settings.baselines_among(Baseline),
        settings.without,
        settings.seed,
        say,
    )

    def leaks() -> Leaks:
        genes = next((reader.training_genes for reader in readers if reader.training_genes is not None), None)
        split = rounds.first_split
        return find_leaks(rounds.examples, split, rounds.first_held_out, data.molecule, genes)

    cells = Cells(folder / one.name, contest, rounds.examples.parts)
    return SetUnderWay(
        one,
        data.labels,
        data.notes,
        contest,
        found,
        cells,
        leaks,
        None,
        rounds.examples.ids,
        rounds.examples.texts,
    )


def _opened_pairs(
    one: PairSet, readers: Sequence[Reader], settings: Settings, folder: Path, say: Say
) -> SetUnderWay:
    data = one.data()
    rounds = rounds_of_pairs(one.task, data, num_folds=settings.folds, seeds=settings.all_seeds)
    examples, contest = rounds.examples, Contest(rounds, data.labels)
    names = settings.baselines_among(PairBaseline)
    found = of_pairs(
        data, examples, readers, settings.probe, settings.pair, names, settings.without, settings.seed, say
    )

    def leaks() -> PairLeaks:
        return pair_leaks(examples, rounds.first_split, rounds.first_held_out)

    cells = Cells(folder, contest, examples.parts)
    return SetUnderWay(
        one, data.labels, data.notes, contest, found, cells, leaks, examples, examples.ids, examples.texts
    )


def planned(under_way: SetUnderWay) -> list[PlannedCell]:
    """Every cell of a set."""
    rounds = under_way.contest.rounds
    return [
        PlannedCell(
            under_way.one.name,
            competitor.name,
            under_way.cells.is_done(competitor),
            len(rounds[0].train),
            sum(len(one.test) for one in rounds),
            len(rounds),
        )
        for competitor in under_way.competitors
    ]


def measured(under_way: SetUnderWay, say: Say) -> Measured:
    """The table of a set; what is missing of it is made first."""
    one, labels, notes, contest, competitors, cells, leaks, pairs, ids, texts = under_way
    entries: dict[str, Entry] = {}
    for competitor in competitors:
        before = _teller(say, f"{one.name}, {competitor.name}: fitting")
        entries[competitor.name] = contest.measured(cells.predictions(competitor, before))
    metric = chosen_metric(labels.kind, one.task.metric)
    names = [competitor.name for competitor in competitors if competitor.role == "model"]
    beside = {name: entry for name, entry in entries.items() if name not in names}
    tables = {name: contest.table(entries[name], beside, metric) for name in names}
    say(f"{one.name}: looking for leaks")
    published = one.task.published or {}
    metrics = {
        "metric": metric.name,
        "kind": labels.kind,
        "classes": list(labels.classes),
        "split": contest.described(),
        "models": {name: table["test"] for name, table in tables.items()},
        "baselines": {name: entry.summary() for name, entry in beside.items()},
        "differences": {name: table.get("differences", {}) for name, table in tables.items()},
        "published": published,
        "leaks": asdict(leaks()),
        "notes": notes,
        "warnings": [] if pairs is None else pair_warnings(pairs, tables),
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
    return Measured(name=one.name, metrics=metrics, rows=rows, evidence=evidence)


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
