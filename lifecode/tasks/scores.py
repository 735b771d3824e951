"""How good predictions are, by the metrics of a task's kind of labels."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.stats import rankdata
from sklearn.metrics import average_precision_score, roc_auc_score

from lifecode.alphabet import IGNORE
from lifecode.errors import UserError
from lifecode.evaluation.metrics import (
    ACCURACY,
    AUPRC,
    AUROC,
    EXACT_MATCH,
    F1,
    MACRO_AUPRC,
    MACRO_AUROC,
    MACRO_F1,
    MATTHEWS,
    MICRO_F1,
    OF_CLASSES,
    OF_LABEL_SETS,
    OF_TWO_CLASSES,
    OF_VALUES,
    PEARSON,
    R2,
    RMSE,
    SPEARMAN,
    Metric,
    of_class,
)
from lifecode.tasks.examples.examples import flat
from lifecode.tasks.examples.labels import LabelKind

METRICS: dict[LabelKind, tuple[Metric, ...]] = {
    "binary": OF_TWO_CLASSES,
    "multiclass": (*OF_CLASSES, MACRO_AUROC, MACRO_AUPRC),
    "multilabel": OF_LABEL_SETS,
    "regression": OF_VALUES,
}
_LEAST_VARIANCE = 1e-200
"""Of labels; of less the squares, or the products of two sums of them, vanish."""
LIKELY = 0.5
"""Probability from which on a sequence is said to have a class, where it may have several."""


def chosen_metric(kind: LabelKind, name: str | None) -> Metric:
    """The metric that models are compared by.

    Raises:
        UserError: the kind of labels has no such metric.
    """
    known = METRICS[kind]
    found = known[0] if name is None else next((metric for metric in known if metric.name == name), None)
    if found is None:
        names = ", ".join(metric.name for metric in known)
        raise UserError(
            f"{name!r} is no metric of {kind} labels", source="task.metric", remedy=f"Use {names}"
        )
    return found


def scores(
    kind: LabelKind,
    labels: NDArray,
    predictions: NDArray[np.float64],
    where: str,
    each_class: Sequence[str] = (),
) -> dict[str, float]:
    """Every metric of this kind of labels.

    A correlation with predictions that are all the same is 0: they say nothing. Of labels of positions all
    positions count together, and those without a label not at all.

    Args:
        kind: of the labels.
        labels: (n,) values or numbers of classes; of positions as in `Examples`.
        predictions: (n,) values, or probabilities (n, num_classes); of positions one array for each sequence.
        where: names the examples in the error.
        each_class: names of classes that get areas of their own, `auroc(NAME)` and `auprc(NAME)`, where some
            of the labels are of it and others are not.

    Raises:
        UserError: a metric is undefined for these labels: all are the same.
    """
    labels, predictions = known(labels, predictions)
    require_defined(labels, where)
    found = {metric.name: score(metric.name, labels, predictions) for metric in METRICS[kind]}
    for number, name in enumerate(each_class):
        own = labels == number
        if own.any() and not own.all():
            found[of_class(AUROC, name).name] = float(roc_auc_score(own, predictions[:, number]))
            found[of_class(AUPRC, name).name] = float(average_precision_score(own, predictions[:, number]))
    wrong = [name for name, value in found.items() if not np.isfinite(value)]
    assert not wrong, f"{wrong} of {where} is no number"
    return found


def require_defined(labels: NDArray[Any], where: str) -> None:
    """Raises a `UserError` where labels that are known are all the same, so that no metric is defined.

    Values whose squared differences vanish in rounding are as good as the same.

    Args:
        labels: as of `scores`.
        where: names the examples.
    """
    found = known(labels, labels)[0]
    if len(np.unique(found)) < 2:
        raise UserError(
            "all labels are the same here, so no metric is defined",
            source=where,
            remedy="Give examples with other labels, or fewer folds",
        )
    if found.dtype.kind == "f" and not found.var() > _LEAST_VARIANCE:
        raise UserError(
            f"labels from {found.min():g} to {found.max():g} differ by too little to be squared",
            source=where,
            remedy="Give the values in a smaller unit, or their logarithms",
        )


def known(labels: NDArray[Any], predictions: NDArray[Any]) -> tuple[NDArray[Any], NDArray[Any]]:
    """Labels and predictions side by side, without positions that have no label."""
    labels, predictions = flat(labels), flat(predictions)
    if labels.ndim == 2:
        return labels, predictions
    rows = is_known(labels)
    return labels[rows], predictions[rows]


def is_known(labels: NDArray[Any]) -> NDArray[np.bool_]:
    """(n,) which positions have a label."""
    return np.isfinite(labels) & (labels != IGNORE) if labels.dtype.kind == "f" else labels != IGNORE


def score(name: str, labels: NDArray, predictions: NDArray[np.float64]) -> float:
    """One metric by its name, of labels that are not all the same."""
    return float(_SCORES[name](labels, predictions))


def _ranks_correlation(labels: NDArray, predictions: NDArray) -> float:
    return _correlation(rankdata(labels), rankdata(predictions))


def _correlation(labels: NDArray, predictions: NDArray) -> float:
    if np.ptp(predictions) <= 2 * np.spacing(np.abs(predictions).max()):
        return 0.0
    a, b = labels - labels.mean(), predictions - predictions.mean()
    a, b = a / np.abs(a).max(), b / np.abs(b).max()  # whose squares are numbers in any unit
    return a @ b / np.sqrt((a @ a) * (b @ b))


def _confusion(labels: NDArray, probabilities: NDArray) -> NDArray[np.float64]:
    """(num_classes, num_classes) examples by their class and the likeliest one."""
    size = probabilities.shape[1]
    cells = np.bincount(labels * size + probabilities.argmax(1), minlength=size * size)
    return cells.reshape(size, size).astype(np.float64)


def _accuracy(labels: NDArray, probabilities: NDArray) -> float:
    return np.mean(labels == probabilities.argmax(1))


def _matthews(labels: NDArray, probabilities: NDArray) -> float:
    """Of any number of classes (Gorodkin 2004); 0 where only one class is predicted."""
    cells = _confusion(labels, probabilities)
    true, said, num = cells.sum(1), cells.sum(0), cells.sum()
    spread = (num**2 - said @ said) * (num**2 - true @ true)
    return (np.trace(cells) * num - true @ said) / np.sqrt(spread) if spread > 0 else 0.0


def _macro_f1(labels: NDArray, probabilities: NDArray) -> float:
    """Over the classes that stand among labels or predictions."""
    cells = _confusion(labels, probabilities)
    both = cells.sum(0) + cells.sum(1)
    return np.mean(2 * np.diag(cells)[both > 0] / both[both > 0])


def _f1(labels: NDArray, probabilities: NDArray) -> float:
    """Of the second of two classes; 0 where it is not predicted."""
    cells = _confusion(labels, probabilities)
    return 2 * cells[1, 1] / (cells[1].sum() + cells[:, 1].sum())


def _micro_f1(labels: NDArray, probabilities: NDArray) -> float:
    said = probabilities >= LIKELY
    both = said.sum() + labels.sum()
    return 2 * (said & (labels == 1)).sum() / both if both else 0.0


def _over_classes(one: Callable[[NDArray, NDArray], float], labels: NDArray, probabilities: NDArray) -> float:
    """The mean over classes that some examples have and others have not."""
    if labels.ndim == 1:
        labels = labels[:, None] == np.arange(probabilities.shape[1])
    counts = labels.sum(0)
    defined = np.flatnonzero((counts > 0) & (counts < len(labels)))
    values = [one(labels[:, i], probabilities[:, i]) for i in defined]
    return float(np.mean(values)) if values else 0.0


_SCORES: dict[str, Callable[[NDArray, NDArray], float]] = {
    SPEARMAN.name: _ranks_correlation,
    PEARSON.name: _correlation,
    R2.name: lambda labels, predictions: 1 - np.mean((labels - predictions) ** 2) / labels.var(),
    RMSE.name: lambda labels, predictions: np.sqrt(np.mean((labels - predictions) ** 2)),
    ACCURACY.name: _accuracy,
    MATTHEWS.name: _matthews,
    MACRO_F1.name: _macro_f1,
    F1.name: _f1,
    MICRO_F1.name: _micro_f1,
    MACRO_AUROC.name: lambda labels, said: _over_classes(roc_auc_score, labels, said),
    MACRO_AUPRC.name: lambda labels, said: _over_classes(average_precision_score, labels, said),
    EXACT_MATCH.name: lambda labels, said: np.mean(((said >= LIKELY) == labels).all(1)),
    AUROC.name: lambda labels, probabilities: roc_auc_score(labels, probabilities[:, 1]),
    AUPRC.name: lambda labels, probabilities: average_precision_score(labels, probabilities[:, 1]),
}
