"""A set of a suite that has been read and split: its competitors, and which of its cells are there."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from lifecode.evaluation.metrics import SPEARMAN, Metric
from lifecode.tasks.competitors.by_gradient import learner_of
from lifecode.tasks.competitors.competitor import Competitor, Reader, Say
from lifecode.tasks.competitors.learner import competitors
from lifecode.tasks.competitors.opened_task import OpenedTask, opened_task
from lifecode.tasks.competitors.without_leaks import rows_without_leaks
from lifecode.tasks.contest import Contest
from lifecode.tasks.examples.examples import Examples
from lifecode.tasks.examples.labels import Labels
from lifecode.tasks.names_in_tables import UNTRAINED
from lifecode.tasks.pairs.pair_examples import PairExamples
from lifecode.tasks.pairs.pair_leaks import PairLeaks
from lifecode.tasks.scores import chosen_metric
from lifecode.tasks.splits.leaks import Leaks
from lifecode.tasks.splits.rounds import Round
from lifecode.tasks.suites.benchmark import BenchmarkSet, Scored, ZeroShotSet
from lifecode.tasks.suites.cells import Cells
from lifecode.tasks.suites.results import PlannedCell
from lifecode.tasks.suites.settings import Settings

UNFINISHED = "unfinished"
"""Folder beside the cells of a set in which tuning by gradient keeps what it has done of one."""


class SetUnderWay(NamedTuple):
    """A set that has been read: labels, rounds, competitors, cells, and what is looked for at its end."""

    one: BenchmarkSet
    metric: Metric
    labels: Labels
    notes: list[str]
    contest: Contest
    competitors: list[Competitor]
    cells: Cells
    leaks: Callable[[], Leaks | PairLeaks | None]
    pairs: PairExamples | None
    ids: list[str]
    texts: Callable[[], list[str]]
    opened: OpenedTask | None
    learnt: dict[str, Any]
    work: Path


def read_set(
    one: BenchmarkSet, readers: Sequence[Reader], settings: Settings, say: Say
) -> OpenedTask | Scored:
    """Read a set and split it: what may go wrong with this set alone.

    Raises:
        UserError: what its files do not allow.
    """
    say(f"{one.name}: reading")
    if isinstance(one, ZeroShotSet):
        return one.read(readers, settings.seed, say)
    without_leaks = partial(rows_without_leaks, training_genes=_genes_read(readers))
    return opened_task(
        one.task,
        one.data(),
        num_folds=settings.folds,
        seeds=settings.all_seeds,
        of_test=without_leaks if settings.drop_leaks else None,
    )


def _genes_read(readers: Sequence[Reader]) -> NDArray[np.uint32] | None:
    """Sketches of the genes that any of the models was trained on; None if of none it is known."""
    known = [reader.training_genes for reader in readers if reader.training_genes is not None]
    return np.concatenate(known) if known else None


def opened_set(
    one: BenchmarkSet,
    read: OpenedTask | Scored,
    readers: Sequence[Reader],
    settings: Settings,
    folder: Path,
    say: Say,
) -> SetUnderWay:
    """The competitors and cells of a set.

    Args:
        one: the set.
        read: of it, by `read_set`.
        readers: models.
        settings: how it is measured.
        folder: of the cells of all sets.
        say: told what is being done.

    Raises:
        UserError: what the settings do not allow.
    """
    if isinstance(read, Scored):
        assert isinstance(one, ZeroShotSet)
        return _opened_scored(one, read, settings, folder / one.name)
    assert not isinstance(one, ZeroShotSet)
    opened = read
    notes = list(opened.data.notes)
    metric = chosen_metric(opened.data.labels.kind, one.task.metric)
    work = folder / one.name / UNFINISHED
    learner = learner_of(
        opened,
        settings.by_gradient,
        settings.probe,
        settings.pair,
        metric=metric,
        work=work,
        say=lambda text: say(f"{one.name}, {text}"),
    )
    asked = settings.baselines_among(opened.baselines, notes)
    found = competitors(learner, readers, asked, settings.without, settings.seed, notes)

    def leaks() -> Leaks | PairLeaks:
        return opened.leaks(_genes_read(readers))

    return SetUnderWay(
        one,
        metric,
        opened.data.labels,
        [*notes, *learner.notes()],
        opened.contest,
        found,
        Cells(folder / one.name, opened.contest, opened.examples.parts),
        leaks,
        opened.pairs,
        opened.examples.ids,
        opened.examples.texts,
        opened,
        settings.learnt,
        work,
    )


def _baseline(competitor: Competitor) -> str:
    """Its name among those that can be asked for: every untrained model is one of them."""
    return UNTRAINED if competitor.name.startswith(f"{UNTRAINED} ") else competitor.name


@dataclass(frozen=True, slots=True)
class _AllHeldOut:
    """One round in which nothing is learnt, as `lifecode.tasks.contest.Split`."""

    examples: Examples
    has_test: bool = True

    @property
    def seeds(self) -> list[int]:
        """One, of the bootstrap."""
        return [0]

    def described(self) -> str:
        """In a few words."""
        return "zero-shot, nothing is learnt"

    def __iter__(self) -> Iterator[Round]:
        nothing = np.zeros(0, dtype=np.int64)
        yield Round(0, nothing, np.arange(len(self.examples.labels)), nothing)


def _opened_scored(one: ZeroShotSet, scored: Scored, settings: Settings, folder: Path) -> SetUnderWay:
    labels = Labels("regression")
    contest = Contest(_AllHeldOut(Examples(scored.ids, [], scored.labels, True)), labels, [SPEARMAN.name])
    asked = settings.baselines_among(one.baselines, scored.notes)
    found = [
        each
        for each in scored.competitors
        if each.role == "model"
        or ((asked is None or _baseline(each) in asked) and _baseline(each) not in settings.without)
    ]
    cells = Cells(folder, contest, [text.encode() for text in scored.texts])
    return SetUnderWay(
        one,
        SPEARMAN,
        labels,
        scored.notes,
        contest,
        found,
        cells,
        lambda: None,
        None,
        scored.ids,
        lambda: scored.texts,
        None,
        {},
        folder / UNFINISHED,
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
