"""`lifecode finetune` and `predict` as a user types them: a file of two columns, and a table by folds."""

import csv
import json

import numpy as np
import pyarrow.parquet as pq
import pytest

import lifecode
from lifecode.app.main import main
from lifecode.errors import UserError
from lifecode.tasks import Probe, SequenceTask
from lifecode.tasks.baselines import constant_prediction
from lifecode.tasks.tables import require_table_name
from tests.support.small_models import small_model


def gene(draw, gc):
    return "ATG" + "".join(draw.choice(list("GC" if draw.random() < gc else "AT")) for _ in range(57))


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    """A model, and files of which GC says the class and, within noise, the level."""
    folder = tmp_path_factory.mktemp("task")
    small_model().save_pretrained(folder / "model")
    draw = np.random.default_rng(0)
    for name, number in (("train", 40), ("test", 20)):
        rows = [(gene(draw, 0.8 if i % 2 else 0.2), "high" if i % 2 else "low") for i in range(number)]
        (folder / f"{name}.csv").write_text("sequence,label\n" + "".join(f"{s}, {y}\n" for s, y in rows))
    levels = [(f"g{i}", gene(draw, i / 40), i / 40 + 0.05 * draw.normal()) for i in range(40)]
    (folder / "levels.tsv").write_text("id\tcds\tlevel\n" + "".join(f"{a}\t{b}\t{c}\n" for a, b, c in levels))
    return folder


def finetune(files, *arguments):
    return main(["finetune", f"checkpoint={files}/model", *arguments])


@pytest.fixture(scope="module")
def run(files):
    run_dir = files / "run"
    first = (files / "train.csv").read_text().splitlines()[1]
    (files / "leaky.csv").write_text((files / "test.csv").read_text() + first + "\n")
    given = (
        f"task.train={files}/train.csv",
        f"task.test={files}/leaky.csv",
        "drop_leaks=true",
        "baselines=[constant,3mers,untrained]",
    )
    assert finetune(files, *given, "probe.frames=0", f"run_dir={run_dir}") == 0
    return run_dir


def test_two_files_of_two_columns_need_nothing_more(files, run):
    metrics = json.loads((run / "metrics.json").read_text())
    assert metrics["kind"] == "binary"
    assert metrics["classes"] == ["high", "low"]
    assert metrics["test"]["mcc"]["values"] == [metrics["test"]["mcc"]["mean"]]
    assert metrics["test"]["mcc"]["mean"] > 0.7
    assert metrics["baselines"]["constant"]["accuracy"]["mean"] == 0.5
    assert set(metrics["baselines"]) == {"constant", "3mers", "untrained"}
    difference = metrics["differences"]["constant"]
    assert difference["mean"] == metrics["test"]["mcc"]["mean"]
    assert 0 < difference["low"] <= difference["mean"] <= difference["high"]
    assert metrics["leaks"]["held_out"] == 20
    assert metrics["leaks"]["equal"] == 0  # the one that there was is left out
    assert metrics["test_rows"] == list(range(20))
    with (run / "predictions.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert [row["id"] for row in rows] == [str(i) for i in range(1, 21)]
    right = np.mean([row["label"] == row["prediction"] for row in rows])
    assert right == pytest.approx(metrics["test"]["accuracy"]["mean"])
    with (run / "compared.csv").open() as file:
        compared = list(csv.DictReader(file))
    assert [row["prediction(" + f"{files}/model)"] for row in compared] == [row["prediction"] for row in rows]
    assert [row["label"] for row in compared] == [row["label"] for row in rows]
    assert {row["prediction(constant)"] for row in compared} <= {"high", "low"}
    assert all(float(row["p(high)"]) + float(row["p(low)"]) == pytest.approx(1) for row in rows)


def test_predict_says_what_the_test_said_with_ids_in_their_order(files, run, tmp_path):
    with (files / "test.csv").open() as file:
        sequences = [row[0] for row in csv.reader(file)][1:]
    fasta, output = tmp_path / "new.fasta", tmp_path / "out.parquet"
    fasta.write_text("".join(f">s{i}\n{sequence}\n" for i, sequence in reversed(list(enumerate(sequences)))))
    arguments = ["predict", f"checkpoint={run}", f"input={fasta}", f"output={output}"]
    assert main(arguments) == 0
    table = pq.read_table(output).to_pydict()
    with (run / "predictions.csv").open() as file:
        expected = [float(row["p(high)"]) for row in csv.DictReader(file)]
    assert table["id"] == [f"s{i}" for i in reversed(range(20))]
    np.testing.assert_allclose(table["p(high)"], expected[::-1], atol=1e-5)
    with pytest.raises(UserError, match="is there already"):
        require_table_name(output)


def test_folds_and_seeds_of_a_regression_by_a_stack_from_python(files):
    task = SequenceTask(train=f"{files}/levels.tsv")
    probe = Probe(head="stack", beside=["codon_frequency", "gene_shape"])
    result = lifecode.finetune(
        task, checkpoint=small_model(), probe=probe, folds=3, seeds=2, baselines=["constant", "length_gc"]
    )
    metrics = result.metrics
    assert len(metrics["test"]["spearman"]["values"]) == 6
    assert sum(metrics["split"]["held_out"]) == 80
    assert metrics["test"]["spearman"]["mean"] > 0.7
    assert set(metrics["baselines"]) == {"constant", "length_gc", "without_states"}
    assert metrics["best_baseline"] in ("length_gc", "without_states")
    assert "corrected resampled t" in metrics["differences"]["constant"]["method"]
    assert result.predictions["id"].tolist() == [f"g{i}" for i in range(40)]


@pytest.mark.parametrize(
    ("task", "settings", "said"),
    [
        ({"label": "levle"}, {}, "has no column 'levle'; its columns are id, cds, level"),
        ({"metric": "mcc"}, {}, "'mcc' is no metric of regression labels"),
        ({}, {"folds": 41}, "40 groups of equal or alike sequences make no 41 folds"),
        ({}, {"probe": Probe(layer=9)}, "probe.layer: is 9, and the model has 2 layers"),
        ({"train": "bad.csv"}, {"folds": 2}, "has no example of class 'b'"),
        ({"train": "train.csv"}, {"probe": Probe(head="stack")}, "is stack, and the labels are binary"),
    ],
)
def test_what_cannot_be_learnt_is_one_line_and_leaves_nothing(files, tmp_path, task, settings, said):
    rows = zip("ACG", "aab", strict=True)
    (files / "bad.csv").write_text("sequence,label\n" + "".join(f"ATGAAACG{x},{y}\n" for x, y in rows))
    task = SequenceTask(**{**task, "train": f"{files}/{task.get('train', 'levels.tsv')}"})
    with pytest.raises(UserError, match=said):
        lifecode.finetune(task, checkpoint=small_model(), run_dir=tmp_path / "none", **settings)
    assert not (tmp_path / "none").exists()


def test_a_run_that_is_there_stays_as_it_is(files, run, capsys):
    before = (run / "metrics.json").read_bytes()
    assert finetune(files, f"task.train={files}/levels.tsv", f"run_dir={run}") == 2
    assert "is there already" in capsys.readouterr().err
    assert (run / "metrics.json").read_bytes() == before


def test_the_constant_is_the_mean_or_the_shares():
    assert constant_prediction(np.array([1.0, 2.0, 6.0]), 2, 0).tolist() == [3, 3]
    assert constant_prediction(np.array([0, 1, 1, 1]), 1, 3).tolist() == [[0.25, 0.75, 0]]


@pytest.mark.parametrize(
    ("length", "settings", "said"),
    [
        (30, {}, "probe.pools=[centre] or [positions], probe.frames=0, probe.window"),
        (30, {"probe": Probe(pools=["mean"])}, None),
        (None, {}, None),
        (6, {}, None),
    ],
)
def test_windows_of_one_length_get_a_hint(tmp_path, length, settings, said):
    draw = np.random.default_rng(0)
    sizes = [length or 30 + i % 3 for i in range(12)]
    rows = [f"{''.join(draw.choice(list('ACGT'), size))},{i % 2}" for i, size in enumerate(sizes)]
    (tmp_path / "windows.csv").write_text("sequence,label\n" + "\n".join(rows) + "\n")
    task = SequenceTask(train=f"{tmp_path}/windows.csv", molecule="dna")
    found = lifecode.finetune(
        task, checkpoint=small_model(), folds=2, baselines=[], progress=False, **settings
    )
    hints = [note for note in found.notes if note.startswith("all sequences have one length, 30: ")]
    assert [said in hint for hint in hints] == ([True] if said else [])
