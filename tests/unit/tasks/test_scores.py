"""Metrics against scikit-learn and scipy, and intervals by hand."""

import numpy as np
import pytest
from scipy.stats import spearmanr, t
from sklearn import metrics as sk

from lifecode.errors import UserError
from lifecode.evaluation.metrics import metric_named
from lifecode.tasks.difference import over_examples, over_folds
from lifecode.tasks.scores import METRICS, chosen_metric, scores

DRAW = np.random.default_rng(0)


def test_metrics_of_values():
    labels, predictions = DRAW.normal(size=40).round(1), DRAW.normal(size=40).round(1)
    found = scores("regression", labels, predictions, "here")
    assert found["spearman"] == pytest.approx(spearmanr(labels, predictions)[0])
    assert found["pearson"] == pytest.approx(np.corrcoef(labels, predictions)[0, 1])
    assert found["r2"] == pytest.approx(sk.r2_score(labels, predictions))
    assert found["rmse"] ** 2 == pytest.approx(np.mean((labels - predictions) ** 2))
    assert scores("regression", labels, np.ones(40), "here")["spearman"] == 0


@pytest.mark.parametrize("classes", [2, 3])
def test_metrics_of_classes(classes):
    labels = DRAW.integers(classes, size=50)
    probabilities = DRAW.dirichlet(np.ones(classes), size=50)
    said = probabilities.argmax(1)
    found = scores("binary" if classes == 2 else "multiclass", labels, probabilities, "here")
    assert found["accuracy"] == pytest.approx(sk.accuracy_score(labels, said))
    assert found["mcc"] == pytest.approx(sk.matthews_corrcoef(labels, said))
    assert found["macro_f1"] == pytest.approx(sk.f1_score(labels, said, average="macro"))
    if classes == 2:
        assert found["auroc"] == pytest.approx(sk.roc_auc_score(labels, probabilities[:, 1]))
        assert found["f1"] == pytest.approx(sk.f1_score(labels, said))  # of the second class
        assert scores("binary", labels, np.tile([1.0, 0.0], (50, 1)), "here")["f1"] == 0
    always_first = np.tile([1.0, *[0.0] * (classes - 1)], (50, 1))
    assert scores("multiclass", labels, always_first, "here")["mcc"] == 0


def test_a_metric_that_is_undefined_is_an_error():
    with pytest.raises(UserError, match="fold 2: all labels are the same"):
        scores("binary", np.ones(3, np.int64), np.full((3, 2), 0.5), "fold 2")
    tiny = 1e-110 * np.arange(3.0)
    with pytest.raises(UserError, match="labels from 0 to 2e-110 differ by too little to be squared"):
        scores("regression", tiny, tiny, "the test file")


@pytest.mark.parametrize("unit", [1e-98, 1e-60, 1e60, 1e98])
def test_metrics_of_values_do_not_depend_on_their_unit(unit):
    """Products of two sums of squares are below or above all numbers where each is one."""
    labels, predictions = DRAW.normal(size=(2, 40))
    found, plain = (scores("regression", labels * by, predictions * by, "here") for by in (unit, 1))
    assert found.pop("rmse") == pytest.approx(plain.pop("rmse") * unit)
    assert found == pytest.approx(plain)


def test_values_far_from_zero_are_not_all_the_same():
    """As nanoseconds since 1970 that differ by some microseconds."""
    seconds = 1.7e18 + 1e4 * np.arange(10)
    assert scores("regression", seconds, seconds, "here")["pearson"] == pytest.approx(1)


def test_the_metric_is_one_of_the_kind_and_declared():
    assert chosen_metric("binary", None).name == "mcc"
    assert chosen_metric("regression", "r2").name == "r2"
    with pytest.raises(UserError, match="'auroc' is no metric of regression labels"):
        chosen_metric("regression", "auroc")
    assert all(metric_named(metric.name) is metric for of_kind in METRICS.values() for metric in of_kind)


def test_the_interval_over_folds_is_wider_by_what_training_sets_share():
    found = over_folds(np.array([3.0, 5.0]), np.array([2.0, 2.0]), 0.25)
    reach = t.ppf(0.975, 1) * np.sqrt(2 * (1 / 2 + 0.25))
    assert (found.mean, found.low, found.high) == pytest.approx((2, 2 - reach, 2 + reach))


def test_the_bootstrap_covers_what_can_be_drawn():
    values = DRAW.normal(1, 1, size=400)
    found = over_examples(lambda rows: (values[rows].mean(), 0.0), 400, seed=0)
    assert found.mean == pytest.approx(values.mean())
    assert found.high - found.low == pytest.approx(2 * 1.96 * values.std() / 20, rel=0.1)
