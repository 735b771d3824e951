"""Attention between both sides on real pairs: genes of E. coli with their flanks beside their proteins."""

import csv
from dataclasses import replace

import numpy as np
import pytest

import lifecode
from lifecode.data import read_records
from lifecode.datasets.central_dogma import GeneWithFlanks, Pairs, make_dataset
from lifecode.tasks import Fit, PairHead, PairTask, TrainedHead
from lifecode.tasks.tuned_model import save_tuned
from tests.support.dogma_rows import biopython_reads, read
from tests.support.small_models import small_model

pytestmark = pytest.mark.slow
FIELDS = ("id", "first", "second", "label")
ROUNDING = 1e-4
"""Of a probability: a head that was trained for a while makes more of the last bits of a state."""


@pytest.fixture(scope="module")
def pairs(small_genome, tmp_path_factory):
    """True and false pairs of the shortest genes and of the longest one, made as by `lifecode dogma`."""
    folder = tmp_path_factory.mktemp("dogma") / "pairs"
    make_dataset(read_records(small_genome), folder, Pairs(dna=GeneWithFlanks()), seed=3)
    rows = sorted(read(folder), key=lambda row: len(row["seq_a"]))
    rows = rows[:18] + rows[-3:]
    assert {row["label"] for row in rows} == {"0", "1"}
    assert all((biopython_reads(row) == row["seq_b"]) == (row["label"] == "1") for row in rows)
    return [(row["seq_a"], row["seq_b"], row["label"]) for row in rows]


@pytest.fixture(scope="module")
def tuned(pairs, tmp_path_factory):
    """A head that was fitted to them with attention between both sides alone, judged on the same pairs."""
    folder = tmp_path_factory.mktemp("cross")
    files = {name: folder / f"{name}.csv" for name in ("train", "validation", "test")}
    for name, path in files.items():
        with path.open("w", newline="") as file:
            writer = csv.writer(file)
            writer.writerow(FIELDS)
            writer.writerows((f"{name}{i}", *pair) for i, pair in enumerate(pairs))
    found = lifecode.finetune(
        PairTask(
            first_kind="dna", second_kind="protein", **{name: str(file) for name, file in files.items()}
        ),
        checkpoint=small_model(),
        tuning="head",
        head=TrainedHead(pools=["mean"], dropout=0.0),
        fit=Fit(epochs=8, lr=1e-2, batch=7, warmup=0.1),
        pair=PairHead(joins=["cross"]),
        baselines=["constant"],
        progress=False,
    )
    (folder / "run").mkdir()
    save_tuned(found.model, folder / "run")
    return found, folder / "run"


def test_it_learns_from_them(tuned):
    (curve,) = tuned[0].metrics["learning_curves"]
    losses = [epoch["validation_loss"] for epoch in curve]
    assert min(losses) < 0.8 * losses[0]


def test_batch_mates_do_not_matter(tuned, pairs, tmp_path):
    """Alone, among pairs of other lengths in one row, a pair a row, all in one row, and by the command."""
    found, run = tuned
    model = lifecode.load(run)
    given = [(first, second) for first, second, _ in pairs]
    together = model.predict(given)
    assert np.ptp(together[:, 1]) > 0.01  # they are not all alike
    alone = np.concatenate([model.predict([pair]) for pair in given])
    np.testing.assert_allclose(alone, together, atol=ROUNDING)
    for row_codons in (1, 1_000_000):
        packed = replace(model, framing=replace(model.framing, row_codons=row_codons))
        np.testing.assert_allclose(packed.predict(given), together, atol=ROUNDING)
    np.testing.assert_allclose(model.predict(given[::-1])[::-1], together, atol=ROUNDING)
    np.testing.assert_allclose(found.predictions["p(1)"], together[:, 1], atol=ROUNDING)
    with (tmp_path / "new.csv").open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(FIELDS[:3])
        writer.writerows((f"n{i}", *pair) for i, pair in enumerate(given[:4]))
    frame = lifecode.predict(run, tmp_path / "new.csv", progress=False)
    np.testing.assert_allclose(frame[["p(0)", "p(1)"]], alone[:4], atol=ROUNDING)


def test_another_protein_is_noticed(tuned, pairs):
    """The same gene beside another gene's protein is another pair."""
    model = lifecode.load(tuned[1])
    given = [(first, second) for first, second, _ in pairs[:9]]
    swapped = [(first, pairs[-1][1]) for first, _ in given]
    assert np.abs(model.predict(swapped)[:, 1] - model.predict(given)[:, 1]).max() > 0.01
