"""A set of a suite that has been read and split: its competitors, and which of its cells are there."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

from lifecode.tasks.baselines import Baseline
from lifecode.tasks.competitors.competitor import Competitor, Reader, Say
from lifecode.tasks.competitors.learner import competitors
from lifecode.tasks.competitors.opened_task import opened_task, probe_learner
from lifecode.tasks.contest import Contest
from lifecode.tasks.examples.labels import Labels
from lifecode.tasks.pairs.pair_baselines import PairBaseline
from lifecode.tasks.pairs.pair_examples import PairExamples, PairLeaks
from lifecode.tasks.splits.leaks import Leaks
from lifecode.tasks.suites.benchmark import BenchmarkSet
from lifecode.tasks.suites.cells import Cells
from lifecode.tasks.suites.results import PlannedCell
from lifecode.tasks.suites.settings import Settings


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
    opened = opened_task(one.task, one.data(), num_folds=settings.folds, seeds=settings.all_seeds)
    notes = list(opened.data.notes)
    learner = probe_learner(opened, settings.probe, settings.pair, say)
    asked = settings.baselines_among(Baseline if opened.pairs is None else PairBaseline)
    found = competitors(learner, readers, asked, settings.without, settings.seed, notes)

    def leaks() -> Leaks | PairLeaks:
        genes = (reader.training_genes for reader in readers if reader.training_genes is not None)
        return opened.leaks(next(genes, None))

    return SetUnderWay(
        one,
        opened.data.labels,
        [*notes, *learner.notes()],
        opened.contest,
        found,
        Cells(folder / one.name, opened.contest, opened.examples.parts),
        leaks,
        opened.pairs,
        opened.examples.ids,
        opened.examples.texts,
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
