"""The heads of `tuning=probe` by the names that a user gives, and the fitted ones by those in their files.

A new head is a file beside this one, its lines here, and its name in the comment of `probe.head` in `conf/`.
"""

from collections.abc import Callable, Mapping
from functools import partial
from typing import Literal

from numpy.typing import NDArray

from lifecode.errors import UserError
from lifecode.tasks.examples.labels import LabelKind
from lifecode.tasks.heads.head import FittedHead, Head
from lifecode.tasks.heads.logistic import LinearClasses, LogisticHead
from lifecode.tasks.heads.memberships import Memberships, MembershipsHead
from lifecode.tasks.heads.ridge import LinearValues, RidgeHead
from lifecode.tasks.heads.stack import Stack, StackHead

HeadName = Literal["linear", "stack", "stack_and_trees"]

_HEADS: dict[HeadName, dict[LabelKind, Callable[[], Head]]] = {
    "linear": {
        "regression": RidgeHead,
        "binary": LogisticHead,
        "multiclass": LogisticHead,
        "multilabel": MembershipsHead,
    },
    "stack": {"regression": StackHead},
    "stack_and_trees": {"regression": partial(StackHead, trees=True)},
}
_FITTED = (LinearValues, LinearClasses, Memberships, Stack)

FROM_ARRAYS: dict[str, Callable[[Mapping[str, NDArray]], FittedHead]] = {
    fitted.kind: fitted.from_arrays for fitted in _FITTED
}
"""What makes a fitted head of its arrays, by its kind."""


def head_for(name: HeadName, kind: LabelKind) -> Head:
    """An unfitted head for labels of this kind.

    Raises:
        UserError: the head has none for such labels.
    """
    of_kind = _HEADS[name]
    if kind not in of_kind:
        problem = f"is {name}, and the labels are {kind}"
        raise UserError(problem, source="probe.head", remedy="Use linear")
    return of_kind[kind]()


def linear_head(kind: LabelKind) -> Head:
    """The head of every baseline: ridge for a regression, else logistic regression, or one for each class."""
    return head_for("linear", kind)
