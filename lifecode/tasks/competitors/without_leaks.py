"""`drop_leaks`: what is learnt from, or has been read by a model, is left out of a test file."""

import numpy as np
from numpy.typing import NDArray

from lifecode.errors import UserError
from lifecode.tasks.examples.task_data import TaskData
from lifecode.tasks.pairs.pair_leaks import leaking_pairs
from lifecode.tasks.pairs.pair_task import PairData
from lifecode.tasks.splits.leaks import leaking_rows

_LEAST_KEPT = 0.5
"""Share of the test that has to stay: where a model has read more, that is reported and nothing left out."""


def rows_without_leaks(
    data: TaskData | PairData, training_genes: NDArray[np.uint32] | None
) -> NDArray[np.int64] | None:
    """The rows of the test that are not learnt from, in their order; a note says how many are.

    Those of sequences are equal, reverse complements or near twins, as `Leaks` counts them, and those that an
    encoder has read, unless these are more than half; of pairs both sides are, as `PairLeaks` counts them.

    Args:
        data: of a task; its notes get a line or two.
        training_genes: sketches of the genes that encoders were trained on, if known.

    Returns:
        Their numbers, from 0; None without a test file.

    Raises:
        UserError: none is left.
    """
    if data.test is None:
        data.notes.append(
            "drop_leaks is of a test file: without one equal sequences are held out together, and "
            "task.keep_together=clusters keeps alike ones together too"
        )
        return None
    num_train, num_test, seen = len(data.train), len(data.test), None
    split = (np.arange(num_train + num_test) >= num_train).astype(np.int64)
    if isinstance(data, PairData):
        leaks = leaking_pairs(data.train.followed_by(data.test), split, split == 1)
    else:
        examples = data.train.followed_by(data.test)
        leaking, seen = leaking_rows(examples, split, split == 1, data.molecule, training_genes)
        leaks = np.isin(np.arange(len(split)), list(leaking))
    kept = ~leaks[num_train:]
    data.notes.append(f"{(~kept).sum():,} of {num_test:,} test examples are also learnt from: left out")
    if seen is not None:
        unread = ~seen[num_train:]
        enough = (kept & unread).sum() >= _LEAST_KEPT * num_test
        what = "left out" if enough else "too many to leave out"
        data.notes.append(f"{(kept & ~unread).sum():,} more resemble genes the encoder has read: {what}")
        kept &= unread | (not enough)
    if not kept.any():
        raise UserError("leaves no test example", source="drop_leaks", remedy="Give another task.test")
    return np.flatnonzero(kept)
