"""What a user's file says, and what is wrong with it: tables, columns, kinds of labels."""

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from lifecode.errors import UserError
from lifecode.tasks.evidence import Evidence
from lifecode.tasks.examples.columns import find_columns
from lifecode.tasks.examples.kind_of_labels import labels_of
from lifecode.tasks.examples.labels import Labels
from lifecode.tasks.examples.sequence_task import SequenceTask
from lifecode.tasks.examples.table import Table, read_table
from lifecode.tasks.examples.task_data import read_task

GENES = ["ATGAAACGC", "ATGGGTTAA", "ATGCCCTAA"]


@pytest.mark.parametrize(
    ("texts", "kind", "classes"),
    [
        (["1", "0", "1"], "binary", ("0", "1")),
        (["no", "yes"], "binary", ("no", "yes")),
        (["10", "9", "2"], "multiclass", ("2", "9", "10")),  # by value
        (["b", "a", "10"], "multiclass", ("10", "a", "b")),  # by letters
        (["0.5", "1.25", "3"], "regression", ()),
        (["9007199254740993", "9007199254740992"], "binary", ("9007199254740992", "9007199254740993")),
        (["1", "1.0", "1e0", "0"], "binary", ("0", "1")),
        ([str(i) for i in range(25)], "regression", ()),
    ],
)
def test_the_kind_of_label_is_read_off_the_values(texts, kind, classes):
    labels = labels_of(texts, "a.csv", "label")
    assert (labels.kind, labels.classes) == (kind, classes)


def test_numbers_of_labels_do_not_depend_on_the_order_of_the_file():
    labels = labels_of(["b", "a", "b", "c"], "a.csv", "label")
    assert labels.numbers(["c", "a", "b"], "b.csv", "label").tolist() == [2, 0, 1]


def test_classes_that_may_be_several_joined_are_said():
    for joined in ("a;b", "a | b", "b,a"):
        (said,) = labels_of(["a", joined, "b"], "a.csv", "label").oddities()
        assert said.startswith(
            f"{joined!r} is a class of its own; where it means several, task.kind=multilabel"
        )
    assert labels_of(["kinase, putative", "unknown, putative", "x;y"], "a.csv", "label").oddities() == []
    assert labels_of(["a", "a;b"], "a.csv", "label", "multilabel").oddities() == []


@pytest.mark.parametrize(
    ("texts", "said"),
    [
        ([*map(str, np.arange(30) / 4), "high"], "'high' in column 'label' is no number"),
        (["1", "1"], "the only label is '1'"),
        (["a", "", "b"], "column 'label' is empty"),
    ],
)
def test_labels_that_cannot_be_learnt(texts, said):
    with pytest.raises(UserError, match=said):
        labels_of(texts, "a.csv", "label").numbers(texts, "a.csv", "label")


FILES = {
    "a.csv": "sequence, label\nATGAAACGC, x\nATGGGTTAA, y\nATGCCCTAA, x\n",
    "a.tsv": "label\tname\tmRNA\nx\tg1\tAUGAAACGC\ny\tg2\taugggutaa\nx\tg3\tATGCCCTAA\n",
    "semicolons.txt": "id;dna;label\n1;ATGAAACGC;x\n2;ATGGGTTAA;y\n3;ATGCCCTAA;x\n",
    "a.fasta": ">g1 label=x\nATGAAA\nCGC\n>g2 some words [label=y]\nATGGGTTAA\n>g3 label=x\nATGCCCTAA\n",
}


@pytest.mark.parametrize("name", [*FILES, "a.parquet"])
def test_every_format_gives_the_same_examples(tmp_path, name):
    path = tmp_path / name
    if name in FILES:
        path.write_text(FILES[name])
    else:
        pq.write_table(pa.table({"seq": GENES, "class": ["x", "y", "x"]}), path)
    data = read_task(SequenceTask(train=str(path)))
    assert data.labels.classes == ("x", "y")
    assert data.train.labels.tolist() == [0, 1, 0]
    assert [len(ids) for ids in data.train.sequences] == [9, 9, 9]
    assert data.molecule == "cds"


def test_columns_by_their_letters_and_names():
    table = Table("a.csv", {"Gene_ID": ["a", "b"], "CAT": ["A", "C"], "dna": GENES[:2], "target": ["1", "2"]})
    assert find_columns(table) == ("dna", "target", "Gene_ID")
    assert find_columns(table, label="CAT") == ("dna", "CAT", "Gene_ID")
    of_lucaone = {"seq_id": ["a", "b"], "seq_type": ["gene"] * 2, "seq": GENES[:2], "label_idx": ["0", "1"]}
    assert find_columns(Table("b.csv", of_lucaone)) == ("seq", "label_idx", "seq_id")
    short = {"id": ["a", "b"], "sequence": ["ATG", "A"], "label": ["0", "1"]}  # so it is called
    assert find_columns(Table("c.csv", short)) == ("sequence", "label", "id")


@pytest.mark.parametrize(
    ("columns", "said"),
    [
        ({"dna": GENES, "high": "123", "low": "123"}, "several columns could be the label: high, low"),
        ({"dna": GENES}, "no column is left for the label"),
        (
            {"protein": ["MKLVFFAEDV"] * 3, "label": "123"},
            "no column holds DNA or RNA; 'protein' may hold proteins",
        ),
        ({"ATGAAACGCATT": GENES, "1": "123"}, "begins without a header"),
    ],
)
def test_columns_that_cannot_be_told(columns, said):
    table = Table("a.csv", {name: list(values) for name, values in columns.items()})
    with pytest.raises(UserError, match=said):
        find_columns(table) if "begins" not in said else find_columns(
            Table("a.csv", {"ATGAAACGCATT": ["1", "2"]})
        )


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "empty"),
        ("sequence,label\n", "has no rows"),
        ("sequence,label\nATG,1\nATG\n", "no table with one header and equal rows"),
        ("a,a \nATG,1\n", "column 'a' twice"),
    ],
)
def test_tables_that_cannot_be_read(tmp_path, text, said):
    path = tmp_path / "a.csv"
    path.write_text(text)
    with pytest.raises(UserError, match=said):
        read_table(path)


def test_rows_and_logarithms(tmp_path):
    path = tmp_path / "a.csv"
    path.write_text("id,cds,level,set\n" + "".join(f"g{i},{GENES[i % 3]},{i},{i % 2}\n" for i in range(6)))
    task = SequenceTask(train=str(path), label="level", where={"set": 0}, transform="log")
    data = read_task(task)
    assert data.train.ids == ["g2", "g4"]
    np.testing.assert_allclose(data.train.labels, np.log([2, 4]))
    assert "1 rows" in data.notes[1]


def write(path, rows):
    path.write_text("id,sequence,label\n" + "".join(",".join(row) + "\n" for row in rows))
    return str(path)


@pytest.mark.parametrize(
    ("test_rows", "said"),
    [
        ([("g1", GENES[2], "x")], "record g1: the id stands in task.train and in task.test"),
        ([("g9", GENES[2], "z")], "label 'z' is none of the training file's classes .x, y."),
        ([("g9", "ATG!", "x")], "letter '!' at position 4"),
    ],
)
def test_a_test_file_that_does_not_fit(tmp_path, test_rows, said):
    train = write(tmp_path / "a.csv", [("g1", GENES[0], "x"), ("g2", GENES[1], "y")])
    with pytest.raises(UserError, match=said):
        read_task(SequenceTask(train=train, test=write(tmp_path / "b.csv", test_rows)))


def test_labels_without_a_transform_are_identified_as_before_there_were_any():
    plain, logarithms = Labels("regression"), Labels("regression", transform="log")
    assert plain.identity == {"kind": "regression", "classes": (), "unit": "sequence"}
    assert logarithms.identity == {**plain.identity, "transform": "log"}


def test_what_is_compared_is_in_the_units_of_the_labels():
    found = Evidence(
        classes=(),
        model="m",
        ids=["a", "b"],
        texts=["", ""],
        labels=np.log([100.0, 3.0]),
        predictions={"m": np.log([90.0, 4.0])},
        of=Labels("regression", transform="log"),
    )
    assert found.compared.to_pydict() == {
        "id": ["a", "b"],
        "label": [100.0, 3.0],
        "prediction(m)": [90.0, 4.0],
    }
