"""`kind=accuracy`: bins by hand, what is nearest, and a run that a user made before."""

import csv
import json

import numpy as np
import pytest

import lifecode
from lifecode.alphabet import encode_nucleotides
from lifecode.analyses import AccuracyBins
from lifecode.analyses.accuracy.bins import Axis, bins_of, interval
from lifecode.app.main import main
from lifecode.errors import UserError
from lifecode.tasks import PairTask, SequenceTask
from lifecode.tasks.splits.nearest import nearest_distance, nearest_identity
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
        ({}, "none", r"is no run of lifecode finetune \(metrics\.json"),
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
