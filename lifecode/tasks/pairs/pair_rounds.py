"""The rounds of a task of pairs: like pairs, or those of one sequence, stay together in a fold."""

from lifecode.tasks.pairs.pair_examples import PairExamples
from lifecode.tasks.pairs.pair_task import PairData, PairTask
from lifecode.tasks.splits.rounds import Rounds


def rounds_of_pairs(
    task: PairTask, data: PairData, *, num_folds: int, seeds: list[int]
) -> Rounds[PairExamples]:
    """As `Rounds`; a head chooses by folds of the same kind as those that are held out."""
    examples = data.train if data.test is None else data.train.followed_by(data.test)
    kept = "equal pairs" if task.keep_together == "pairs" else f"pairs of one {task.keep_together} sequence"
    groups = examples.groups(task.keep_together)
    return Rounds(examples, len(data.train), data.labels, groups, kept, num_folds=num_folds, seeds=seeds)
