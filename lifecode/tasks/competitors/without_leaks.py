"""`drop_leaks`: what is learnt from, or has been read by a model, is left out of a test file."""

from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from lifecode.errors import UserError
from lifecode.tasks.examples.sequence_task import TaskData
from lifecode.tasks.pairs.pair_examples import torn_pairs
from lifecode.tasks.pairs.pair_task import PairData
from lifecode.tasks.splits.leaks import leaking_rows

_LEAST_KEPT = 0.5
"""Share of the test that has to stay: where a model has read more, that is reported and nothing left out."""
D = TypeVar("D", TaskData, PairData)


def without_leaks(data: D, training_genes: NDArray[np.uint32] | None) -> D:
    """The data without test examples that are learnt from; a note says how many are left out.

    Those of sequences are equal, reverse complements or near twins, as `Leaks` counts them, and those that an
    encoder has read, unless these are more than half; those of pairs are equal ones.

    Args:
        data: of a task; its notes get a line or two.
        training_genes: sketches of the genes that encoders were trained on, if known.

    Raises:
        UserError: nothing is left.
    """
    if data.test is None:
        data.notes.append(
            "drop_leaks is of a test file: without one equal sequences are held out together, and "
            "task.keep_together=clusters keeps alike ones together too"
        )
        return data
    test, num_train = data.test, len(data.train)
    split = (np.arange(num_train + len(test)) >= num_train).astype(np.int64)
    held_out = split == 1
    seen = None
    if isinstance(data, PairData):
        leaks = torn_pairs(data.train.followed_by(data.test), split)[num_train:]  # pyright: ignore
    else:
        examples = data.train.followed_by(data.test)  # pyright: ignore
        leaking, seen = leaking_rows(examples, split, held_out, data.molecule, training_genes)
        leaks = np.isin(np.arange(len(split)), list(leaking))[num_train:]
    data.notes.append(f"{int(leaks.sum()):,} of {len(test):,} test examples are also learnt from: left out")
    kept = ~leaks
    if seen is not None:
        of_test = seen[num_train:]
        enough = (kept & ~of_test).sum() >= _LEAST_KEPT * len(test)
        what = "left out" if enough else "too many to leave out"
        data.notes.append(f"{int((kept & of_test).sum()):,} more resemble genes the encoder has read: {what}")
        kept &= ~of_test | (not enough)
    if not kept.any():
        raise UserError(
            "every test example is also learnt from",
            source="drop_leaks",
            remedy="Leave it out, or another test",
        )
    return data._replace(test=test.at(np.flatnonzero(kept)))  # pyright: ignore
