"""A stack of regressions: a linear and a kernel ridge on each block, if asked a forest on all of them.

Their weights are not negative: a least-squares fit of the labels on what each member predicts of held-out
folds, inside the examples of the fit. The kernel is Gaussian, in a few hundred Nystroem features.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import nnls
from sklearn.kernel_approximation import Nystroem

from lifecode.tasks.heads.forest import Forest, fit_forest
from lifecode.tasks.heads.head import Blocks
from lifecode.tasks.heads.ridge import fit_ridge
from lifecode.tasks.heads.standardise import Standardised, standardised_labels

_NUM_LANDMARKS = 500
"""Examples that the kernel is spanned by."""


@dataclass(frozen=True, slots=True)
class Member:
    """One regression of the stack: linear, or, with landmarks, in Nystroem features of a Gaussian kernel.

    Attributes:
        columns: first and last + 1 of the features of all blocks that it reads.
        standardised: of these.
        landmarks: (m, num_kept) standardised examples; none for a linear member.
        turned: (m, m) that makes features of the kernel with the landmarks.
        centre: (m,) mean of these features.
        weight: (num_kept,) or (m,).
        intercept: the mean label.
        share: its weight in the stack.
    """

    columns: tuple[int, int]
    standardised: Standardised
    landmarks: NDArray[np.float64]
    turned: NDArray[np.float64]
    centre: NDArray[np.float64]
    weight: NDArray[np.float64]
    intercept: float
    share: float

    def predict(self, table: NDArray[np.float32]) -> NDArray[np.float64]:
        """Values (n,) of all features (n, num_features), without its share."""
        x = self.standardised([table[:, slice(*self.columns)]])
        if len(self.landmarks):
            x = _gaussian(x, self.landmarks) @ self.turned - self.centre
        return x @ self.weight + self.intercept


@dataclass(frozen=True, slots=True)
class Stack:
    """Members with a share above 0; the sum of share x prediction, and an intercept.

    Attributes:
        members: ridges.
        intercept: of the sum.
        forest: on all blocks, if it has a share.
        share_of_forest: its weight in the stack.
    """

    members: Sequence[Member]
    intercept: float
    forest: Forest | None = None
    share_of_forest: float = 0.0

    kind = "stack"

    @property
    def arrays(self) -> Mapping[str, NDArray]:
        """Each member's arrays under its number."""
        found: dict[str, NDArray] = {"intercept": np.array([self.intercept])}
        for number, member in enumerate(self.members):
            values = member.standardised._asdict() | {
                "columns": np.array(member.columns),
                "landmarks": member.landmarks,
                "turned": member.turned,
                "centre": member.centre,
                "weight": member.weight,
                "line": np.array([member.intercept, member.share]),
            }
            found |= {f"{number}.{name}": value for name, value in values.items()}
        if self.forest is not None:
            found |= {f"forest.{name}": value for name, value in self.forest.arrays.items()}
            found["share_of_forest"] = np.array([self.share_of_forest])
        return found

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, NDArray]) -> "Stack":
        """What `arrays` gave."""
        members = []
        for number in range(sum(name.endswith(".line") for name in arrays)):
            own = {name.partition(".")[2]: x for name, x in arrays.items() if name.startswith(f"{number}.")}
            standardised = Standardised(own["kept"].astype(bool), own["mean"], own["deviation"])
            first, last = own["columns"].tolist()
            kernel = (own["landmarks"], own["turned"], own["centre"])
            members.append(Member((first, last), standardised, *kernel, own["weight"], *own["line"].tolist()))
        intercept = float(arrays["intercept"][0])
        if "share_of_forest" not in arrays:
            return cls(members, intercept)
        trees = {name.partition(".")[2]: x for name, x in arrays.items() if name.startswith("forest.")}
        return cls(members, intercept, Forest(**trees), float(arrays["share_of_forest"][0]))

    def predict(self, blocks: Blocks) -> NDArray[np.float64]:
        """Values (n,)."""
        table = np.concatenate(blocks, axis=1)
        parts = [member.share * member.predict(table) for member in self.members]
        if self.forest is not None:
            parts.append(self.share_of_forest * self.forest.predict(table))
        return np.sum([np.full(len(table), self.intercept), *parts], axis=0)


@dataclass(frozen=True, slots=True)
class StackHead:
    """Fits a `Stack` on each block, and on all of them side by side.

    Attributes:
        trees: whether a forest on all blocks is a member too.
    """

    trees: bool = False

    def fit(self, blocks: Blocks, labels: NDArray, folds: NDArray[np.int64], seed: int) -> Stack:
        """As `Head.fit`; the landmarks, and the splits of the trees, are drawn by the seed."""
        y, table = labels.astype(np.float64), np.concatenate(blocks, axis=1)
        ends = np.cumsum([0, *(block.shape[1] for block in blocks)]).tolist()
        spans = list(pairwise(ends)) + ([(0, ends[-1])] if len(blocks) > 1 else [])
        fitted = [_member(table, span, kernel, y, folds, seed) for span in spans for kernel in (False, True)]
        forest, columns = None, [predictions for _, predictions in fitted]
        if self.trees:
            forest, predictions = fit_forest(table, y, folds, seed)
            columns.append(predictions)
        held_out = np.stack(columns, axis=1)
        means = held_out.mean(0)
        labels, _, deviation = standardised_labels(y)
        shares = nnls((held_out - means) / deviation, labels)[0]
        members = [
            replace(member, share=float(share))
            for (member, _), share in zip(fitted, shares, strict=False)
            if share > 0
        ]
        intercept = float(y.mean() - means @ shares)
        if forest is None or not shares[-1] > 0:
            return Stack(members, intercept)
        return Stack(members, intercept, forest, float(shares[-1]))


def _member(
    table: NDArray[np.float32],
    columns: tuple[int, int],
    kernel: bool,
    y: NDArray[np.float64],
    folds: NDArray[np.int64],
    seed: int,
) -> tuple[Member, NDArray[np.float64]]:
    """One member without a share, and its predictions (n,) of held-out folds."""
    block = [table[:, slice(*columns)]]
    standardised = Standardised.of(block)
    x = standardised(block)
    landmarks, turned, centre = np.zeros((0, x.shape[1])), np.zeros((0, 0)), np.zeros(0)
    if kernel and x.shape[1]:
        count = min(_NUM_LANDMARKS, len(x))
        nystroem = Nystroem(gamma=0.5 / x.shape[1], n_components=count, random_state=seed).fit(x)
        landmarks, turned = np.asarray(nystroem.components_), nystroem.normalization_.T
        x = _gaussian(x, landmarks) @ turned
        centre = x.mean(0)
        x = x - centre
    found = fit_ridge(x, y, folds)
    member = Member(columns, standardised, landmarks, turned, centre, found.weight, found.intercept, 0.0)
    return member, found.held_out


def _gaussian(x: NDArray[np.float64], landmarks: NDArray[np.float64]) -> NDArray[np.float64]:
    """exp(-|x - landmark|^2 / 2 / num_features), (n, m): features of deviation 1 lie that far apart."""
    squares = (x**2).sum(1)[:, None] + (landmarks**2).sum(1) - 2 * x @ landmarks.T
    return np.exp(-np.maximum(0, squares) * (0.5 / landmarks.shape[1]))
