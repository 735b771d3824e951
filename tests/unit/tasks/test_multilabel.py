"""Any number of classes for a sequence: read, measured, learnt by a probe and by gradient, predicted."""

import csv

import numpy as np
import pytest
from sklearn.metrics import f1_score, roc_auc_score

import lifecode
from lifecode.app.main import main
from lifecode.errors import UserError
from lifecode.tasks import Fit, SequenceTask
from lifecode.tasks.baselines import head_of, usual_baselines
from lifecode.tasks.examples.kind_of_labels import labels_of
from lifecode.tasks.examples.labels import Labels
from lifecode.tasks.examples.task_data import read_task
from lifecode.tasks.scores import scores
from tests.support.small_models import small_model


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    """A sequence is `rich` by its first half, `g` by the second, may be both or neither."""
    folder = tmp_path_factory.mktemp("multilabel")
    small_model().save_pretrained(folder / "model")
    draw = np.random.default_rng(0)
    for name, num in (("train", 48), ("test", 24)):
        lines = []
        for i in range(num):
            rich, purine = i % 2, i // 2 % 2
            gene = "".join(draw.choice(list("CG" if rich else "AT"), 24))
            gene += "".join(draw.choice(list("GA" if purine else "CT"), 24))
            lines.append(f"{gene},{';'.join(['rich'] * rich + ['g'] * purine)}\n")
        (folder / f"{name}.csv").write_text("sequence,label\n" + "".join(lines))
    return folder


def test_classes_are_joined_and_there_may_be_none():
    labels = labels_of(["b; a", "", "b"], "f", "y", "multilabel")
    assert labels == Labels("multilabel", ("a", "b"))
    assert labels.numbers(["b; a", "", "b"], "f", "y").tolist() == [[1, 1], [0, 0], [0, 1]]
    with pytest.raises(UserError, match=r"in row 2.*label 'c' in column 'y' is none of"):
        labels.numbers(["a", "a;c"], "f", "y")


def test_metrics_are_those_of_sklearn():
    draw = np.random.default_rng(0)
    labels, said = draw.integers(0, 2, (40, 3)), draw.random((40, 3))
    found = scores("multilabel", labels, said, "")
    assert found["micro_f1"] == pytest.approx(f1_score(labels, said >= 0.5, average="micro"))
    assert found["macro_auroc"] == pytest.approx(roc_auc_score(labels, said, average="macro"))
    assert found["exact_match"] == np.mean(((said >= 0.5) == labels).all(1))
    labels[:, 1] = 0  # a class that no example has does not count
    rest = roc_auc_score(labels[:, [0, 2]], said[:, [0, 2]], average="macro")
    assert scores("multilabel", labels, said, "")["macro_auroc"] == pytest.approx(rest)


@pytest.mark.parametrize("tuning", ["probe", pytest.param("full", marks=pytest.mark.slow)])
def test_through_the_command(files, tuning, tmp_path):
    run, output = tmp_path / "run", tmp_path / "said.csv"
    given = [f"task.train={files}/train.csv", f"task.test={files}/test.csv", "task.kind=multilabel"]
    settings = ["probe.frames=0", "head.frames=0", "fit.lr=1e-2", "fit.epochs=5", "fit.batch=8"]
    command = ["finetune", f"checkpoint={files}/model", f"tuning={tuning}", "baselines=[constant,3mers]"]
    assert main([*command, *given, *settings, f"run_dir={run}"]) == 0
    with (run / "predictions.csv").open() as file:
        told = list(csv.DictReader(file))
    assert {row["label"] for row in told} == {"", "g", "rich", "g;rich"}
    assert np.mean([row["label"] == row["prediction"] for row in told]) > 0.7
    assert main(["predict", f"checkpoint={run}", f"input={files}/test.csv", f"output={output}"]) == 0
    with output.open() as file:
        again = list(csv.DictReader(file))
    assert [row["prediction"] for row in again] == [row["prediction"] for row in told]


def test_the_usual_baselines_are_those_that_learn_several_classes():
    assert set(usual_baselines("dna", "multiclass")) - set(usual_baselines("dna", "multilabel")) == {"cnn"}
    with pytest.raises(UserError, match="cnn learns one class for a sequence"):
        head_of("cnn", "multilabel")


def test_what_it_does_not_go_with_is_one_line(files):
    with pytest.raises(UserError, match=r"is multilabel, and task\.unit is codon"):
        SequenceTask(train="a.csv", kind="multilabel", unit="codon")
    task = SequenceTask(train=f"{files}/train.csv", kind="multilabel")
    with pytest.raises(UserError, match="labels are multilabel"):
        lifecode.finetune(
            task, checkpoint=small_model(), tuning="head", fit=Fit(class_weights="balanced"), folds=2
        )


def test_several_columns_are_a_class_each(files, tmp_path, capsys):
    for name in ("train", "test"):
        lines = (files / f"{name}.csv").read_text().splitlines()[1:]
        rows = [line.split(",") for line in lines]
        texts = [f"{dna},{'rich' in has},{float('g' in has.split(';'))}" for dna, has in rows]
        (tmp_path / f"{name}.csv").write_text("dna,rich,g\n" + "\n".join(texts) + "\n")
    columns = SequenceTask(train=f"{tmp_path}/train.csv", test=f"{tmp_path}/test.csv", label=["rich", "g"])
    one = SequenceTask(train=f"{files}/train.csv", test=f"{files}/test.csv", kind="multilabel")
    several, joined = read_task(columns), read_task(one)
    assert several.labels == joined.labels == Labels("multilabel", ("g", "rich"))
    np.testing.assert_array_equal(several.train.labels, joined.train.labels)
    np.testing.assert_array_equal(several.test.labels, joined.test.labels)
    for broken, told in (
        ("dna,rich,g\nACGT,1,2\n", r"in row 1.*'2' in column 'g' is neither 0 nor 1"),
        ("dna,rich\nACGT,1\n", "has no column 'g'"),
    ):
        (tmp_path / "broken.csv").write_text(broken)
        with pytest.raises(UserError, match=told):
            read_task(SequenceTask(train=f"{tmp_path}/broken.csv", label=["rich", "g"]))
    with pytest.raises(UserError, match="names a column twice"):
        read_task(SequenceTask(train=f"{tmp_path}/train.csv", label=["g", "g"]))
    with pytest.raises(UserError, match=r"task\.label: names several columns"):
        SequenceTask(train="a", label=["a", "b"], kind="binary")
    arguments = ["finetune", f"task.train={tmp_path}/broken.csv", "task.label=[rich,g]"]
    assert main([*arguments, f"checkpoint={files}/model", f"run_dir={tmp_path}/run"]) == 2
    assert "has no column 'g'" in capsys.readouterr().err
