"""By how much one model is better than another on the same examples, with an interval.

Over folds and seeds: the corrected resampled t interval of Nadeau and Bengio (2003), since training sets
overlap and the plain one would be too narrow. On one test file: a paired bootstrap over its examples.
"""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.stats import t

NUM_RESAMPLES = 1_000
_LEVEL = 0.95


class Difference(NamedTuple):
    """A mean difference and the ends of its 95 % interval; `method` says which."""

    mean: float
    low: float
    high: float
    method: str


def over_folds(ours: NDArray[np.float64], theirs: NDArray[np.float64], test_share: float) -> Difference:
    """The interval of a difference that was measured on several folds.

    Args:
        ours: (folds x seeds,) figures of one model.
        theirs: those of the other on the same folds.
        test_share: examples of a fold over examples it is learnt from.
    """
    paired = ours - theirs
    variance = paired.var(ddof=1) * (1 / len(paired) + test_share)
    reach = float(t.ppf((1 + _LEVEL) / 2, len(paired) - 1) * np.sqrt(variance))
    mean = float(paired.mean())
    return Difference(mean, mean - reach, mean + reach, "corrected resampled t over folds and seeds")


def over_examples(
    score: Callable[[NDArray[np.integer]], tuple[float, float] | None],
    num_examples: int,
    seed: int,
    num_resamples: int = NUM_RESAMPLES,
) -> Difference:
    """The interval of a difference on one set of examples, by drawing them anew.

    Args:
        score: figures of both models on these rows; None where they are undefined there.
        num_examples: of the set.
        seed: of the draws.
        num_resamples: how often.
    """
    draws = np.random.default_rng(seed)
    everything = score(np.arange(num_examples))
    assert everything is not None
    drawn = (score(draws.integers(num_examples, size=num_examples)) for _ in range(num_resamples))
    differences = [pair[0] - pair[1] for pair in drawn if pair is not None]
    low, high = np.quantile(differences, [(1 - _LEVEL) / 2, (1 + _LEVEL) / 2])
    return Difference(
        everything[0] - everything[1], float(low), float(high), "paired bootstrap over test examples"
    )
