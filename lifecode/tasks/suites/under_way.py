"""A set of a suite that has been read and split: its competitors, and which of its cells are there."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

from lifecode.tasks.baselines import Baseline
from lifecode.tasks.competitors.competitor import Competitor, Reader, Say
from lifecode.tasks.competitors.of_pairs import of_pairs
from lifecode.tasks.competitors.of_sequences import of_sequences
from lifecode.tasks.contest import Contest
from lifecode.tasks.examples.labels import Labels
from lifecode.tasks.pairs.pair_baselines import PairBaseline
from lifecode.tasks.pairs.pair_examples import PairExamples, PairLeaks, pair_leaks
from lifecode.tasks.pairs.pair_rounds import rounds_of_pairs
from lifecode.tasks.splits.leaks import Leaks, find_leaks
from lifecode.tasks.splits.rounds import rounds_of
from lifecode.tasks.suites.benchmark import BenchmarkSet, PairSet
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
        lambda: rounds.examples.texts(data.molecule),
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
