"""A task that has been read and split, of sequences or of pairs, and how a probe learns it."""

from collections.abc import Callable, Sequence
from dataclasses import asdict
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from lifecode.errors import UserError
from lifecode.tasks.baselines import fitting_baselines
from lifecode.tasks.competitors.competitor import Say
from lifecode.tasks.competitors.frozen import Frozen
from lifecode.tasks.competitors.learner import Learner
from lifecode.tasks.competitors.of_pairs import PairBlocks
from lifecode.tasks.competitors.of_positions import PositionProbe
from lifecode.tasks.competitors.of_sequences import SequenceBlocks
from lifecode.tasks.contest import Contest
from lifecode.tasks.examples.examples import Examples
from lifecode.tasks.examples.sequence_task import SequenceTask
from lifecode.tasks.examples.task_data import TaskData, read_task
from lifecode.tasks.pairs.pair_baselines import fitting_pair_baselines
from lifecode.tasks.pairs.pair_examples import PairExamples
from lifecode.tasks.pairs.pair_head import PairHead
from lifecode.tasks.pairs.pair_leaks import PairLeaks, pair_leaks
from lifecode.tasks.pairs.pair_rounds import rounds_of_pairs
from lifecode.tasks.pairs.pair_task import PairData, PairTask, read_pairs
from lifecode.tasks.probe import Probe
from lifecode.tasks.splits.leaks import Leaks, find_leaks
from lifecode.tasks.splits.rounds import Rounds, rounds_of

Data = TaskData | PairData


class OpenedTask(NamedTuple):
    """A task that has been read and split.

    Attributes:
        data: of its files.
        rounds: its examples, and how they are split.
        contest: these rounds, for everybody who takes part.
        test_rows: of the test file those that are predicted; None where all are, or there is none.
    """

    data: Data
    rounds: Rounds[Examples] | Rounds[PairExamples]
    contest: Contest
    test_rows: NDArray[np.int64] | None = None

    @property
    def examples(self) -> Examples | PairExamples:
        """All of them, those of a test file last."""
        return self.rounds.examples

    @property
    def pairs(self) -> PairExamples | None:
        """The same where they are pairs."""
        return self.examples if isinstance(self.examples, PairExamples) else None

    @property
    def unit(self) -> str:
        """What has a label."""
        return "pair" if self.pairs is not None else self.data.labels.unit

    @property
    def told(self) -> dict[str, Any]:
        """What its examples are, for people."""
        if isinstance(self.data, PairData):
            return {"sides": [self.data.train.first.kind, self.data.train.second.kind]}
        return {"molecule": self.data.molecule}

    @property
    def baselines(self) -> Sequence[str]:
        """Names of those that can be asked for."""
        if isinstance(self.data, PairData):
            return fitting_pair_baselines(self.data.train.first.kind, self.data.train.second.kind)
        labels = self.data.labels
        return fitting_baselines(self.data.molecule, labels.kind, labels.unit)

    def leaks(self, training_genes: NDArray[np.uint32] | None) -> Leaks | PairLeaks:
        """What held-out examples share with others, and with genes that a model was trained on."""
        split, held_out = self.rounds.first_split, self.rounds.first_held_out
        if isinstance(self.data, PairData):
            assert isinstance(self.examples, PairExamples)
            return pair_leaks(self.examples, split, held_out)
        assert isinstance(self.examples, Examples)
        return find_leaks(self.examples, split, held_out, self.data.molecule, training_genes)


def opened_task(
    task: SequenceTask | PairTask,
    data: Data | None,
    *,
    num_folds: int,
    seeds: Sequence[int],
    of_test: Callable[[Data], NDArray[np.int64] | None] | None,
) -> OpenedTask:
    """Read a task, unless its `data` are given, and split it.

    Args:
        task: files, labels, split.
        data: of these files, if they have been read.
        num_folds: held out in turn, without a test file.
        seeds: of the splits.
        of_test: the rows of the test file that are predicted, such as `rows_without_leaks`; None takes all.

    Raises:
        UserError: what its files or the split do not allow.
    """
    if not seeds:
        raise UserError("is less than 1", source="seeds")
    if isinstance(task, PairTask):
        pairs = read_pairs(task) if data is None else data
        assert isinstance(pairs, PairData)
        kept = None if of_test is None else of_test(pairs)
        if kept is not None and pairs.test is not None:
            pairs = pairs._replace(test=pairs.test.at(kept))
        rounds = rounds_of_pairs(task, pairs, num_folds=num_folds, seeds=list(seeds))
        return _opened(pairs, rounds, kept)
    sequences = read_task(task) if data is None else data
    assert isinstance(sequences, TaskData)
    kept = None if of_test is None else of_test(sequences)
    if kept is not None and sequences.test is not None:
        sequences = sequences._replace(test=sequences.test.at(kept))
    rounds = rounds_of(task, sequences, num_folds=num_folds, seeds=list(seeds))
    return _opened(sequences, rounds, kept)


def _opened(data: Data, rounds: Rounds[Any], test_rows: NDArray[np.int64] | None) -> OpenedTask:
    contest = Contest(rounds, data.labels)
    contest.require_defined()
    return OpenedTask(data, rounds, contest, test_rows)


def probe_learner(opened: OpenedTask, probe: Probe, pair: PairHead, say: Say) -> Learner:
    """How `tuning=probe` learns a task.

    Raises:
        UserError: settings that its examples do not allow.
    """
    data, contest, examples = opened.data, opened.contest, opened.examples
    if isinstance(data, PairData):
        assert isinstance(examples, PairExamples)
        return Frozen(PairBlocks(probe, pair, data, examples), contest, say)
    assert isinstance(examples, Examples)
    if data.labels.unit != "sequence":
        return PositionProbe(probe, contest, data.labels, examples, data.molecule)
    return Frozen(SequenceBlocks(probe, data, examples), contest, say)


def given_keys(task: SequenceTask | PairTask) -> dict[str, Any]:
    """What a task says, without what it leaves open."""
    return {key: value for key, value in asdict(task).items() if value is not None}
