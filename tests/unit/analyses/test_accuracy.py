"""`kind=accuracy`: bins by hand, what is nearest, and a run that a user made before."""

import csv
import json
import shutil
from types import SimpleNamespace

import numpy as np
import pytest

import lifecode
from lifecode.alphabet import encode_nucleotides
from lifecode.analyses import AccuracyBins
from lifecode.analyses.accuracy.bins import Axis, bins_of, interval
from lifecode.analyses.accuracy.finished_run import _rows_then
from lifecode.app.main import main
from lifecode.errors import UserError
from lifecode.tasks import PairTask, SequenceTask
from lifecode.tasks.splits.nearest import nearest_distance, nearest_identity
from lifecode.tasks.suites.benchmark import PairSet, SequenceSet
from lifecode.tasks.tables import write_table
from tests.support.small_models import small_luca_one, small_model

LUCA, CODE = small_luca_one(heads={}), small_model().eval()


def test_bins_are_values_quantiles_or_words_and_never_empty():
    def told(values, most):
        return [
            (text, np.flatnonzero(rows).tolist()) for text, rows in bins_of(Axis("x", values, "none"), most)
        ]

    assert told(np.array([3.0, 1.0, np.nan, 3.0]), 2) == [("1", [1]), ("3", [0, 3]), ("none", [2])]
    assert told(np.array([0.0, 1.0, 2.0, 3.0]), 2) == [("0 to 1.5", [0, 1]), ("1.5 to 3", [2, 3])]
    assert told(np.array([0.0, 0.0, 0.0, 1.0, 2.0]), 2) == [("0 to 2", [0, 1, 2, 3, 4])]
    assert told(np.array(["b", "a", "b"]), 1) == [("a", [1]), ("b", [0, 2])]
    lengths = np.array([10001.0, 10002.0, 10001.0])  # of which three digits make one name
    assert told(lengths, 2) == [("10001", [0, 2]), ("10002", [1])]
    assert [name for name, _ in told(np.array([0.9991, 0.9992, 0.9993]), 2)] == [
        "0.9991 to 0.9992",
        "0.9992 to 0.9993",
    ]


def test_the_interval_of_wilson_by_hand():
    value, low, high = interval(np.array([True] * 8 + [False] * 2))
    z = 1.959964
    middle, half = (0.8 + z**2 / 20) / (1 + z**2 / 10), z * np.sqrt(0.016 + z**2 / 400) / (1 + z**2 / 10)
    assert (value, low, high) == (0.8, pytest.approx(middle - half), pytest.approx(middle + half))


def test_what_is_nearest_is_of_another_split_and_on_either_strand():
    draw = np.random.default_rng(0)
    text = "".join(draw.choice(list("ACGT"), size=300))
    backward = text[::-1].translate(str.maketrans("ACGT", "TGCA"))
    changed = text[:150] + {"A": "C", "C": "G", "G": "T", "T": "A"}[text[150]] + text[151:]
    other = "".join(draw.choice(list("ACGT"), size=300))
    sequences = [encode_nucleotides(each) for each in (text, backward, changed, other)]
    rows, split = np.array([0, 1, 2, 3, 3]), np.array([0, 1, 1, 1, 1])
    found = nearest_identity(sequences, "dna", rows, split, split == 1)
    assert found[0] == 1
    assert found[1] == pytest.approx(299 / 300, abs=0.003)  # estimated from sketches
    assert np.isnan(found[2:]).all()
    of_cds = nearest_identity(sequences[:2], "cds", np.array([0, 0, 1]), np.array([0, 1, 1]), split[:3] == 1)
    assert of_cds[0] == 1
    assert np.isnan(of_cds[1])  # a coding sequence has one strand


def test_distance_is_of_centred_and_scaled_vectors():
    vectors = np.array([[0, 10, 5], [2, 10, 5], [0, 30, 5], [2, 30, 5]], dtype=np.float32)
    split = np.array([0, 0, 0, 1])
    found = nearest_distance(vectors, np.arange(4), split, split == 1)
    assert found == pytest.approx([1.0])  # right angles to both neighbours, opposite to the first
    again = nearest_distance(vectors, np.array([3, 1, 2, 3]), split, split == 1)
    assert again == pytest.approx([0.0])


def keep(folder, found):
    """What the analysis reads of the folder of a run."""
    folder.mkdir()
    (folder / "metrics.json").write_text(json.dumps(found.metrics))
    write_table(found.evidence.compared, folder / "compared.csv")


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    """A task of pairs with an `origins.csv`, and one of sequences by folds, both learnt."""
    folder = tmp_path_factory.mktemp("runs")
    draw = np.random.default_rng(1)

    def dna(size):
        return "".join(draw.choice(list("ACGT"), size=size))

    train = [(f"t{i}", dna(60), "MKR" if i % 2 else "GGW", i % 2) for i in range(24)]
    held = [(f"h{i}", train[i][1] if i < 6 else dna(60), "MKR" if i % 2 else "GGW", i % 2) for i in range(12)]
    for name, rows in (("train", train), ("test", held)):
        with (folder / f"{name}.csv").open("w", newline="") as file:
            csv.writer(file).writerows([("seq_id_a", "seq_a", "seq_b", "label"), *rows])
    with (folder / "origins.csv").open("w", newline="") as file:
        places = ["0..9", "0..9,12..20", "0..9,12..20,30..40"]
        rows = [(row[0], "kind a" if i < 4 else "kind b", places[i % 3]) for i, row in enumerate(held)]
        csv.writer(file).writerows([("seq_id_a", "kind", "exons"), *reversed(rows)])
    task = PairTask(
        train=f"{folder}/train.csv",
        test=f"{folder}/test.csv",
        first="seq_a",
        second="seq_b",
        second_kind="protein",
    )
    given = {"checkpoint": CODE, "progress": False}
    keep(folder / "pairs", lifecode.finetune(task, baselines=["constant", "lengths", "untrained"], **given))
    (folder / "sets.csv").write_text("sequence,label\n" + "".join(f"{a},{d}\n" for _, a, _, d in train))
    single = SequenceTask(train=f"{folder}/sets.csv", molecule="dna")
    keep(
        folder / "single",
        lifecode.finetune(single, folds=2, seeds=2, baselines=["constant", "3mers"], **given),
    )
    (folder / "more.csv").write_text("sequence,label,half\n" + f"{train[0][1][::-1]},1,last\n")
    (folder / "half.csv").write_text(
        "sequence,label,half\n" + "".join(f"{a},{d},first\n" for _, a, _, d in train)
    )
    both = SequenceTask(
        train=f"{folder}/half.csv",
        validation=f"{folder}/more.csv",
        sequence="sequence",
        label="label",
        molecule="dna",
    )
    keep(folder / "both", lifecode.finetune(both, folds=2, baselines=["constant"], **given))
    return folder


def test_rows_that_a_run_left_out_are_left_out_again(tmp_path):
    data = SimpleNamespace(test=range(4))
    assert _rows_then(tmp_path, [0, 3], data).tolist() == [0, 3]  # pyright: ignore
    with pytest.raises(UserError, match="hold other rows now"):
        _rows_then(tmp_path, [0, 4], data)  # pyright: ignore


def test_columns_of_validation_rows_stand_behind_those_of_training(runs):
    kind = AccuracyBins(columns=["half"], identity=False, distance=False)
    found = lifecode.analyse(kind, f"{runs}/both", [CODE], untrained=False, progress=False).frame
    of_model = found[(found["model"] == "model") & (found["by"] == "half")]
    assert dict(of_model[["bin", "rows"]].values) == {"first": 24, "last": 1}


def test_a_run_of_pairs_in_bins_for_both_families(runs):
    kind = AccuracyBins(columns=["exons", "kind", "seq_b"], beside=f"{runs}/origins.csv", bins=3)
    found = lifecode.analyse(kind, f"{runs}/pairs", [CODE, LUCA], progress=False)
    table = found.frame
    metrics = json.loads((runs / "pairs/metrics.json").read_text())
    overall = table[table["by"] == "all"].set_index("model")["accuracy"]
    assert overall["model"] == metrics["test"]["accuracy"]["mean"]
    for name, figures in metrics["baselines"].items():
        assert overall[name] == figures["accuracy"]["mean"]
    of_model = table[table["model"] == "model"].groupby("by", sort=False)
    assert (of_model["rows"].sum() == 12).all()
    weighted = (table["rows"] * table["accuracy"]).groupby([table["by"], table["model"]]).sum() / 12
    assert all(value == pytest.approx(overall[name]) for (_, name), value in weighted.items())
    assert dict(of_model.get_group("exons")[["bin", "rows"]].values) == {"1": 4, "2": 4, "3": 4}
    assert dict(of_model.get_group("kind")[["bin", "rows"]].values) == {"kind a": 4, "kind b": 8}
    assert dict(of_model.get_group("seq_b")[["bin", "rows"]].values) == {"GGW": 6, "MKR": 6}
    assert dict(of_model.get_group("identity, first")[["bin", "rows"]].values) == {
        "1": 6,
        "no k-mer shared": 6,
    }
    assert dict(of_model.get_group("identity, second")[["bin", "rows"]].values) == {"1": 12}
    names = {"model 1", "untrained model 1", "model 2", "untrained model 2"}
    assert {f"distance, first, {name}" for name in names} < set(table["by"])


def test_what_a_user_types(runs, tmp_path, capsys):
    given = [f"input={runs}/single", "checkpoints=[]", f"run_dir={tmp_path}/run"]
    assert main(["analyse", "kind=accuracy", *given]) == 2
    CODE.save_pretrained(tmp_path / "code")
    given[1] = f"checkpoints=[{tmp_path}/code]"
    assert main(["analyse", "kind=accuracy", "untrained=false", *given]) == 0
    said = capsys.readouterr().out
    assert "24 held-out rows of single" in said
    assert "the nearest rows are those of the first" in said
    lines = (tmp_path / "run/table.csv").read_text().splitlines()
    assert lines[0] == "model,by,bin,rows,accuracy,low,high"
    assert (tmp_path / "run/figures/plot.png").stat().st_size > 1000


@pytest.mark.parametrize(
    ("kind", "run", "said"),
    [
        ({}, "none", r"is no run of lifecode finetune or evaluate \(metrics\.json"),
        ({"columns": ["exon"]}, "pairs", "has no column 'exon'"),
        ({"columns": ["sequence"]}, "single", "has 24 different words"),
        ({"columns": ["kind"], "beside": "sets.csv"}, "pairs", "has two rows of label 0"),
        ({"identity": False, "distance": False}, "pairs", "asks for nothing"),
        ({"beside": "x"}, "pairs", "kind.columns names none of its columns"),
    ],
)
def test_what_cannot_be_analysed_is_one_line(runs, kind, run, said):
    kind = {**kind, "beside": f"{runs}/{kind['beside']}"} if kind.get("beside") == "sets.csv" else kind
    with pytest.raises(UserError, match=said):
        lifecode.analyse(AccuracyBins(**kind), f"{runs}/{run}", [CODE], untrained=False, progress=False)


def test_rows_that_have_changed_are_said(runs):
    path = runs / "sets.csv"
    before = path.read_text()
    path.write_text(before.replace(",0\n", ",1\n", 1))
    try:
        with pytest.raises(UserError, match="the files of its task hold other rows now"):
            lifecode.analyse(AccuracyBins(), f"{runs}/single", [CODE], untrained=False, progress=False)
    finally:
        path.write_text(before)


@pytest.fixture(scope="module")
def evaluated(runs, tmp_path_factory):
    """An evaluation of sequences by folds, of pairs with a test file, and of values."""
    folder = tmp_path_factory.mktemp("evaluated")
    lines = (runs / "sets.csv").read_text().splitlines()[1:]
    values = [f"{line.split(',')[0]},{i / 7}" for i, line in enumerate(lines)]
    (folder / "values.csv").write_text("sequence,label\n" + "\n".join(values) + "\n")
    pairs = {"first": "seq_a", "second": "seq_b", "second_kind": "protein", "test": f"{runs}/test.csv"}
    of_values = SequenceTask(train=f"{folder}/values.csv", kind="regression", molecule="dna")
    sets = [
        SequenceSet(name="single", task=SequenceTask(train=f"{runs}/sets.csv", molecule="dna")),
        PairSet(name="pairs", task=PairTask(train=f"{runs}/train.csv", **pairs)),
        SequenceSet(name="values", task=of_values),
    ]
    suite = SimpleNamespace(sets=lambda _: {one.name: one for one in sets})
    given = {"baselines": ["constant", "3mers", "lengths"], "folds": 2, "seeds": 2, "progress": False}
    lifecode.evaluate(suite, folder, [CODE], run_dir=folder / "run", **given)
    return folder / "run"


def test_the_sets_of_an_evaluation_in_bins(runs, evaluated):
    given = {"untrained": False, "progress": False}
    found = lifecode.analyse(AccuracyBins(bins=2), str(evaluated), [CODE], **given)
    assert found.notes[0] == "left out: values (labels of kind regression for each sequence)"
    table = found.frame
    assert table.columns[0] == "set"
    metrics = json.loads((evaluated / "metrics.json").read_text())["sets"]
    overall = table[table["by"] == "all"].set_index(["set", "model"])
    for name, num in (("single", 24), ("pairs", 12)):
        assert (overall.loc[name]["rows"] == num).all()
    assert overall.loc["pairs", "model 1"]["accuracy"] == pytest.approx(
        metrics["pairs"]["models"]["model 1"]["accuracy"]["mean"]
    )
    assert overall.loc["pairs", "lengths"]["accuracy"] == pytest.approx(
        metrics["pairs"]["baselines"]["lengths"]["accuracy"]["mean"]
    )
    of_model = table[(table["model"] == "model 1") & (table["set"] == "pairs")]
    own = of_model[of_model["by"] == "identity, first"]
    assert dict(own[["bin", "rows"]].values) == {"1": 6, "no k-mer shared": 6}
    kind = AccuracyBins(columns=["seq_b"], identity=False, distance=False, sets=["pairs"])
    one = lifecode.analyse(kind, str(evaluated), [CODE], **given).frame
    assert set(one["set"]) == {"pairs"}
    assert dict(one[one["by"] == "seq_b"][["bin", "rows"]].values) == {"GGW": 6, "MKR": 6}
    alone = lifecode.analyse(AccuracyBins(distance=False), f"{evaluated}/sets/single", [CODE], **given)
    assert (alone.frame[alone.frame["by"] == "all"]["rows"] == 24).all()
    # the same bins as of a finetuned run of the same task and folds
    tuned = lifecode.analyse(AccuracyBins(distance=False), f"{runs}/single", [CODE], **given).frame
    ours, theirs = (each[each["model"] == "3mers"].values.tolist() for each in (alone.frame, tuned))
    assert ours == theirs


@pytest.mark.parametrize(
    ("sets", "said"),
    [
        (["none"], "holds no set 'none'; it holds single, pairs, values"),
        (["values"], "has no set with one class"),
    ],
)
def test_what_an_evaluation_does_not_hold_is_one_line(evaluated, sets, said):
    with pytest.raises(UserError, match=said):
        lifecode.analyse(AccuracyBins(sets=sets), str(evaluated), [CODE], untrained=False, progress=False)


def test_an_evaluation_of_an_older_version_says_what_to_run(runs, evaluated, tmp_path):
    shutil.copytree(evaluated, tmp_path / "old")
    (tmp_path / "old/sets/single/examples.parquet").unlink()
    given = {"untrained": False, "progress": False}
    with pytest.raises(UserError, match="Run the same lifecode evaluate again"):
        lifecode.analyse(AccuracyBins(), f"{tmp_path}/old", [CODE], **given)
    with pytest.raises(UserError, match=r"kind\.sets: is of an evaluation, and this is one task"):
        lifecode.analyse(AccuracyBins(sets=["single"]), f"{runs}/single", [CODE], **given)
