"""What a user's files may have wrong, of sequences and of pairs: one line, exit 2, and nothing written."""

import pytest

from tests.support.small_models import small_model

GENES = ["ATGAAACGCATT", "ATGGCTAAATTT", "ATGCCCGGGTTT", "ATGTTTTTTCCC", "ATGGGGAAACCC", "ATGACGACGACG"]
PROTEINS = ["MKRI", "MAKF", "MPGF", "MFFP", "MGKP", "MTTT"]


def sequences(labels, ids="abcdef"):
    rows = zip(ids, GENES, labels, strict=False)
    return "id,sequence,label\n" + "".join(f"{name},{gene},{label}\n" for name, gene, label in rows)


def pairs(labels, ids="abcdef"):
    rows = zip(ids, GENES, PROTEINS, labels, strict=False)
    return "id,first,second,label\n" + "".join(f"{name},{a},{b},{label}\n" for name, a, b, label in rows)


VALUES = ("0.5", "1.5", "2.5", "3.5", "4.5", "5.5")
MAP = "label 'z' is none of the training file's classes (x, y)"
ALIKE = "all labels are the same here, so no metric is defined"
TWO_IDS, TWO = "an id in two splits", ["folds=2"]
BOTH = {
    "a label outside the map": ("xyxyxy", "xz", [], MAP),
    TWO_IDS: ("xyxyxy", "xy", [], "record a: the id stands in task.train and in task.test"),
    "an empty class": ("xxxxxy", None, TWO, "has no example of class 'y'"),
    "text": ((*VALUES[:5], "abc"), None, ["task.kind=regression"], "'abc' in column 'label' is no number"),
    "a missing column": ("xyxyxy", None, ["task.label=y"], "has no column 'y'; its columns are id, "),
    "an empty label": (("x", "y", "x", "", "x", "y"), None, TWO, "column 'label' is empty"),
    "one class in the test": ("xyxyxy", "xx", [], ALIKE),
    "equal values in the test": (VALUES, ("1.0", "1.0"), ["task.kind=regression"], ALIKE),
    "equal labels": ("111111", None, [], "the only label is '1' in column 'label'"),
    "a metric of others": ("xyxyxy", None, [*TWO, "task.metric=r2"], "'r2' is no metric of binary labels"),
    "more folds than rows": ("xyxyxy", None, ["folds=9"], "make no 9 folds"),
}


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    folder = tmp_path_factory.mktemp("model")
    small_model().save_pretrained(folder)
    return folder


def refused(here, folder, model, train, test, others, told):
    (folder / "train.csv").write_text(train)
    arguments = ["task.train=train.csv", f"checkpoint={model}", "baselines=[]", "run_dir=run", *others]
    if test is not None:
        (folder / "test.csv").write_text(test)
        arguments.append("task.test=test.csv")
    done = here(folder, "finetune", *arguments)
    last = done.stderr.strip().splitlines()[-1]
    assert done.returncode == 2, done.stderr
    assert told in last, done.stderr
    assert last.startswith("lifecode finetune: ")
    assert not list(folder.glob("run*"))


@pytest.mark.parametrize("case", BOTH)
@pytest.mark.parametrize("unit", ["sequence", "pair"])
def test_of_sequences_and_of_pairs(here, tmp_path, model, unit, case):
    made = sequences if unit == "sequence" else pairs
    train, test, others, told = BOTH[case]
    of_test = None if test is None else made(test, "ap" if case == TWO_IDS else "pq")
    refused(here, tmp_path, model, made(train), of_test, [f"task={unit}", *others], told)


@pytest.mark.parametrize(
    ("train", "others", "told"),
    [
        ("first,second,label\nACGT,MKV,x\nACGT,y\n", [], "no table with one header and equal rows"),
        ("first,second,label\nACGT,MKV,x\nACGA,,y\n", [], "in row 2: column 'second' is empty"),
        ("dna,second,label\nACGT,MKV,x\nACGA,MK,y\n", [], "has no column 'first'; its columns are dna, "),
        ("first,second,label\nr1,MKV,x\nr2,MK,y\n", ["task.first_fasta=a.fa"], "'r2' is no record of a.fa"),
        (pairs("xyxyxy").replace("MTTT", "MT1T"), TWO, "the protein side"),
    ],
    ids=["unequal rows", "an empty side", "no first column", "a name without a record", "a letter"],
)
def test_of_pairs_alone(here, tmp_path, model, train, others, told):
    (tmp_path / "a.fa").write_text(">r1\nACGT\n")
    refused(here, tmp_path, model, train, None, ["task=pair", *others], told)
