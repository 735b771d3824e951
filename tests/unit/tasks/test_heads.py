"""Heads against scikit-learn and by hand, and that a saved head says the same."""

import numpy as np
import pytest
from sklearn.ensemble import ExtraTreesRegressor
from sklearn.linear_model import LogisticRegression, Ridge

from lifecode.errors import UserError
from lifecode.tasks.heads.forest import fit_forest
from lifecode.tasks.heads.logistic import LogisticHead
from lifecode.tasks.heads.ridge import RidgeHead, fit_ridge
from lifecode.tasks.heads.saved import load_head, save_head
from lifecode.tasks.heads.stack import StackHead
from lifecode.tasks.heads.standardise import Standardised

DRAW = np.random.default_rng(0)
X = DRAW.normal(size=(60, 8)).astype(np.float32)
Y = X[:, 0] - 2 * X[:, 3] + 0.5 * DRAW.normal(size=60)
FOLDS = np.arange(60) % 5


@pytest.mark.parametrize("width", [8, 90], ids=["few features", "more features than examples"])
def test_ridge_is_that_of_scikit_learn_fitted_again_without_each_fold(width):
    x = np.random.default_rng(1).normal(size=(60, width))
    x = (x - x.mean(0)) / x.std(0)
    y = x[:, 0] + np.random.default_rng(2).normal(size=60)
    fit = fit_ridge(x, y, FOLDS)
    expected = np.empty(60)
    for fold in range(5):
        rows = fold == FOLDS
        expected[rows] = Ridge(alpha=fit.strength * 60).fit(x[~rows], y[~rows]).predict(x[rows])
    np.testing.assert_allclose(fit.held_out, expected, atol=1e-8)
    oracle = Ridge(alpha=fit.strength * 60).fit(x, y)
    np.testing.assert_allclose(x @ fit.weight + fit.intercept, oracle.predict(x), atol=1e-8)


def test_the_strength_grows_with_the_noise():
    noise = np.random.default_rng(3).normal(size=60)
    x = Standardised.of([X])([X])
    assert fit_ridge(x, Y, FOLDS).strength < fit_ridge(x, noise, FOLDS).strength


def test_features_that_do_not_vary_are_left_out():
    constant = np.full((60, 1), 7, np.float32)
    with_constant = RidgeHead().fit([X, constant], Y, FOLDS, 0).predict([X, constant])
    np.testing.assert_allclose(with_constant, RidgeHead().fit([X], Y, FOLDS, 0).predict([X]))
    np.testing.assert_allclose(RidgeHead().fit([constant], Y, FOLDS, 0).predict([constant]), Y.mean())


@pytest.mark.parametrize(("width", "classes"), [(8, 3), (90, 2)])
def test_logistic_is_that_of_scikit_learn(width, classes):
    x = np.random.default_rng(1).normal(size=(60, width)).astype(np.float32)
    labels = np.digitize(x[:, 0], [-0.4, 0.4][: classes - 1])
    fitted = LogisticHead().fit([x[:, :3], x[:, 3:]], labels, FOLDS, 0)
    z = Standardised.of([x])([x])
    oracle = LogisticRegression(C=1 / (fitted.strength * 60), max_iter=1000).fit(z, labels)
    np.testing.assert_allclose(fitted.predict([x[:, :3], x[:, 3:]]), oracle.predict_proba(z), atol=5e-3)


def test_a_class_that_a_fold_holds_alone():
    labels = (np.arange(60) == 7).astype(np.int64)
    probabilities = LogisticHead().fit([X], labels, FOLDS, 0).predict([X])
    assert np.isfinite(probabilities).all()
    assert probabilities[7, 1] == probabilities[:, 1].max()


def test_a_stack_sees_what_no_line_does_and_needs_no_block_of_noise():
    curved = np.abs(X[:, 0]) + 0.05 * np.random.default_rng(4).normal(size=60)
    noise = np.random.default_rng(5).normal(size=(60, 3)).astype(np.float32)
    stack = StackHead().fit([X[:, :2], noise], curved, FOLDS, 0)
    line = RidgeHead().fit([X[:, :2], noise], curved, FOLDS, 0)
    new = np.random.default_rng(6).normal(size=(200, 5)).astype(np.float32)
    truth = np.abs(new[:, 0])
    errors = [np.mean((head.predict([new[:, :2], new[:, 2:]]) - truth) ** 2) for head in (stack, line)]
    assert errors[0] < 0.5 * errors[1]
    shares = {member.columns: member.share for member in stack.members}
    assert min(shares.values()) > 0
    assert shares.get((2, 5), 0) < 0.2
    assert (0, 2) in shares


def test_a_forest_is_that_of_scikit_learn_and_has_no_part_in_its_held_out_labels():
    halves = FOLDS % 2
    forest, held_out = fit_forest(X, Y, halves, seed=3)
    oracle = ExtraTreesRegressor(200, min_samples_leaf=3, max_features=0.1, random_state=3).fit(X, Y)
    np.testing.assert_allclose(forest.predict(X), oracle.predict(X), rtol=1e-12)
    others = fit_forest(X, np.where(halves == 1, 100, Y), halves, seed=3)[1]
    np.testing.assert_array_equal(others[halves == 1], held_out[halves == 1])
    assert np.corrcoef(held_out, Y)[0, 1] > 0.3


@pytest.mark.parametrize(("unit", "zero"), [(1e-9, 0), (1e-90, 0), (1e60, 0), (1, 1e9)])
def test_a_forest_does_not_depend_on_the_unit_of_its_labels(unit, zero):
    """Of concentrations in mol/l scikit-learn alone splits no node, and every tree says the mean."""
    plain, other = (fit_forest(X, y, FOLDS % 2, seed=3) for y in (Y, Y * unit + zero))
    np.testing.assert_allclose((other[1] - zero) / unit, plain[1], atol=1e-5)
    np.testing.assert_allclose((other[0].predict(X) - zero) / unit, plain[0].predict(X), atol=1e-5)


def test_a_stack_takes_a_forest_where_only_trees_see_it():
    x = np.random.default_rng(7).normal(size=(200, 12)).astype(np.float32)
    steps = np.where((x[:, 0] > 0) & (x[:, 1] > 0), 4.0, 0.0)
    folds = np.arange(200) % 2
    stack = StackHead(trees=True).fit([x], steps, folds, 0)
    assert stack.share_of_forest > 0.1
    assert StackHead().fit([x], steps, folds, 0).forest is None


@pytest.mark.parametrize(
    ("head", "labels"),
    [
        (RidgeHead(), Y),
        (LogisticHead(), np.arange(60) // 7 % 3),
        (StackHead(), Y),
        (StackHead(trees=True), Y),
    ],
    ids=["ridge", "classes", "stack", "stack and trees"],
)
def test_a_saved_head_says_the_same(tmp_path, head, labels):
    fitted = head.fit([X], labels, FOLDS, 0)
    save_head(fitted, tmp_path / "head")
    np.testing.assert_array_equal(load_head(fitted.kind, tmp_path / "head").predict([X]), fitted.predict([X]))
    (tmp_path / "head").write_bytes(b"no head")
    with pytest.raises(UserError, match=f"holds no {fitted.kind} head"):
        load_head(fitted.kind, tmp_path / "head")
