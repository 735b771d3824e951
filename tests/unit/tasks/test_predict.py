"""`lifecode predict`: any kind of file, in its order, on from where a kill left it; and `lifecode.load`."""

import gzip
import json
import shutil

import huggingface_hub
import numpy as np
import pyarrow as pa
import pyarrow.csv as pa_csv
import pyarrow.parquet as pq
import pytest
import torch

import lifecode
from lifecode.app.main import main
from lifecode.errors import UserError
from lifecode.tasks import Fit, SequenceTask, TunedModel, TunedNetwork
from lifecode.tasks.examples.examples import Examples
from lifecode.tasks.examples.labels import Labels
from lifecode.tasks.examples.table import Table, read_table
from lifecode.tasks.examples.table_parts import table_parts
from lifecode.tasks.heads.ridge import LinearValues
from lifecode.tasks.heads.standardise import Standardised
from lifecode.tasks.predict import in_parts
from lifecode.tasks.predict.input_columns import like_ids
from lifecode.tasks.predictions import predictions_table
from lifecode.tasks.tables import read_table_file, write_tables
from lifecode.tasks.tuned_model import save_tuned
from tests.support.labelled_genes import labelled_genes, write_genes
from tests.support.small_models import small_luca_one, small_model

GENES = labelled_genes(23, seed=4)[0]


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    folder = tmp_path_factory.mktemp("predict")
    for tuning in ("probe", "head"):
        lifecode.finetune(
            SequenceTask(
                train=str(write_genes(folder / "train.csv", 20)),
                test=str(write_genes(folder / "test.csv", 4, 9)),
            ),
            checkpoint=small_model(),
            tuning=tuning,
            fit=Fit(epochs=1, batch=8),
            baselines=[],
            run_dir=folder / tuning,
        )
    return folder


def test_what_was_learnt_as_a_logarithm_is_predicted_in_the_units_of_the_label():
    head = LinearValues(Standardised(np.ones(1, bool), np.zeros(1), np.ones(1)), np.log([2.0]), np.log(10))
    labels = Labels("regression", transform="log")
    model = TunedModel(
        labels=labels,
        features=[lambda sequences: np.array([[len(ids) - 3.0] for ids in sequences])],
        head=head,
        model=small_model(),
    )
    predictions = model.predict(["ATG", "ATGA", "ATGAAA"])
    np.testing.assert_allclose(predictions, [10, 20, 80])  # 10 x 2 ^ (length - 3)
    examples = Examples(["a", "b", "c"], [], np.log([3.0, 0.1, 1234.5]), True)
    table = predictions_table(examples, labels, predictions).to_pydict()
    assert list(table) == ["id", "label", "prediction", "log(prediction)"]
    assert table["label"] == [3.0, 0.1, 1234.5]
    np.testing.assert_allclose(table["log(prediction)"], [2.302585093, 2.995732274, 4.382026635])


@pytest.mark.parametrize("tuning", ["probe", pytest.param("head", marks=pytest.mark.slow)])
def test_a_run_on_logarithms_writes_and_predicts_the_units_of_its_file(tuning, tmp_path):
    labels = [round(float(10 ** (i % 5)) * 1.1, 3) for i in range(23)]
    for name, rows in (("train", slice(0, 17)), ("test", slice(17, 23))):
        lines = zip(GENES[rows], labels[rows], strict=True)
        (tmp_path / f"{name}.csv").write_text("cds,level\n" + "".join(f"{s},{y}\n" for s, y in lines))
    task = SequenceTask(
        train=f"{tmp_path}/train.csv", test=f"{tmp_path}/test.csv", kind="regression", transform="log"
    )
    run = tmp_path / "run"
    found = lifecode.finetune(
        task,
        checkpoint=small_model(),
        tuning=tuning,
        fit=Fit(epochs=1, batch=8),
        baselines=["constant"],
        progress=False,
    )
    run.mkdir()
    save_tuned(found.model, run)
    table = found.table.to_pydict()
    assert table["label"] == labels[17:]
    logs = np.array(table["log(prediction)"])
    np.testing.assert_allclose(table["prediction"], np.exp(logs), rtol=1e-9)
    of_logs = np.sqrt(np.mean((np.log(labels[17:]) - logs) ** 2))
    assert found.metrics["test"]["rmse"]["mean"] == pytest.approx(of_logs, rel=1e-6)
    assert "log(label)" not in table
    again = lifecode.predict(run, tmp_path / "test.csv", sequence="cds", progress=False)
    assert list(again.columns) == ["id", "prediction", "log(prediction)"]
    np.testing.assert_allclose(again["prediction"], table["prediction"], rtol=1e-4)
    described = json.loads((run / "head.json").read_text())
    assert described.pop("transform") == "log"
    (run / "head.json").write_text(json.dumps(described))  # one of before the key
    np.testing.assert_allclose(lifecode.load(run).predict(GENES[17:]), again["prediction"], rtol=1e-4)
    (run / "head.json").write_text(json.dumps({**described, "transform": "sqrt"}))
    with pytest.raises(UserError, match=r"describes no model .*sqrt"):
        lifecode.load(run)


def test_columns_of_the_training_are_taken_and_what_is_out_of_frame_is_said(tmp_path, caplog):
    """Beside the genes stands a longer DNA, which is found by its letters if nothing names the genes."""
    genes = [gene.replace("T", "C") for gene in GENES]  # so that there is no stop
    labels = labelled_genes(23, seed=4)[1]
    lines = [
        f"{genes[i - 1] * 9},{gene},x{i},{label}\n"
        for i, (gene, label) in enumerate(zip(genes, labels, strict=True))
    ]
    (tmp_path / "a.csv").write_text("region,gene,tag,label\n" + "".join(lines))
    (tmp_path / "b.csv").write_text(f"dna\n{genes[0]}\n{genes[1]}A\nATGTAAATG\n")
    task = SequenceTask(train=f"{tmp_path}/a.csv", sequence="gene", id="tag", label="label")
    found = lifecode.finetune(task, checkpoint=small_model(), folds=2, baselines=[], progress=False)
    (tmp_path / "run").mkdir()
    save_tuned(found.model, tmp_path / "run")
    frame = lifecode.predict(tmp_path / "run", tmp_path / "a.csv", progress=False)
    assert frame["id"].tolist() == [f"x{i}" for i in range(23)]
    model = lifecode.load(tmp_path / "run")
    np.testing.assert_allclose(frame["p(low)"], model.predict(genes)[:, 1], atol=1e-6)
    other = lifecode.predict(tmp_path / "run", tmp_path / "a.csv", sequence="region", progress=False)
    assert np.abs(other["p(low)"] - frame["p(low)"]).max() > 1e-3
    assert "whole codons" not in caplog.text
    assert len(lifecode.predict(tmp_path / "run", tmp_path / "b.csv", progress=False)) == 3
    assert "2 of the sequences up to row 3 are not whole codons without a stop inside" in caplog.text
    assert "holds sequences too" not in caplog.text
    (tmp_path / "c.csv").write_text(f"upstream,coding\n{genes[0]},{genes[1]}{genes[2]}\n")
    lifecode.predict(tmp_path / "run", tmp_path / "c.csv", progress=False)
    assert "those of column 'coding'; 'upstream' holds sequences too" in caplog.text


def test_how_long_sequences_are_read_is_said_once(tmp_path, caplog, monkeypatch):
    """A model of letters reads so many at once; of two parts of a file the first that has any says it."""
    monkeypatch.setattr(in_parts, "SEQUENCES_AT_ONCE", 1)
    head = LinearValues(Standardised(np.ones(1, bool), np.zeros(1), np.ones(1)), np.ones(1), 0.0)
    model = TunedModel(
        labels=Labels("regression"),
        features=[lambda sequences: np.array([[float(len(ids))] for ids in sequences])],
        head=head,
        model=small_luca_one(heads={}, max_tokens=12),
    )
    (tmp_path / "a.csv").write_text("sequence\nACGTAC\nACGTACGTACGT\nACGTACGTACGTA\n")
    for _ in in_parts.predicted_parts(model, tmp_path / "a.csv"):
        pass
    (line,) = [record.getMessage() for record in caplog.records]
    assert "up to row 2: 1 sequences of more than 10 letters are read in overlapping windows" in line


def files_in(folder):
    """The same sequences in every format, with their ids."""
    ids = [f"g{i}" for i in range(len(GENES))]
    table = pa.table({"id": ids, "note": ["a,b" if i == 3 else "" for i in range(len(GENES))], "dna": GENES})
    pq.write_table(table, folder / "g.parquet")
    pa_csv.write_csv(table, folder / "g.csv")
    pa_csv.write_csv(table, folder / "g.tsv", pa_csv.WriteOptions(delimiter="\t"))
    with gzip.open(folder / "g.csv.gz", "wb") as file:
        file.write((folder / "g.csv").read_bytes())
    records = [f">{name} a gene\n{gene[:20]}\n{gene[20:]}\n" for name, gene in zip(ids, GENES, strict=True)]
    (folder / "g.fasta").write_text("".join(records))
    return [folder / f"g.{end}" for end in ("csv", "tsv", "csv.gz", "parquet", "fasta")]


def test_rows_come_some_at_a_time_as_they_stand(tmp_path):
    for path in files_in(tmp_path):
        whole = read_table(path)
        parts = list(table_parts(path, 5))
        assert [part.first for part in parts] == [0, 5, 10, 15, 20]
        for name, values in whole.columns.items():
            assert [x for part in parts for x in part.columns[name]] == values


def test_a_value_may_go_over_the_end_of_a_line(tmp_path):
    (tmp_path / "a.csv").write_text('x,y\n1,"a\nb\nc"\n2,d\n\n3,"e"\n')
    parts = list(table_parts(tmp_path / "a.csv", 1))
    assert [part.columns["y"] for part in parts] == [["a\nb\nc"], ["d"], ["e"]]


@pytest.mark.parametrize(
    ("columns", "expected"),
    [
        ({"transcript_id": ["t1", "t2"], "cds": GENES[:2]}, "transcript_id"),
        ({"species_id": ["a", "a"], "ReadID": ["r1", "r2"], "cds": GENES[:2]}, "ReadID"),
        ({"cluster_id": ["a", "a"], "cds": GENES[:2]}, None),
    ],
)
def test_ids_are_kept_whatever_their_column_is_called(columns, expected):
    assert like_ids(Table("a.csv", columns), "cds") == expected


@pytest.mark.parametrize("end", ["csv", "tsv", "parquet"])
def test_ids_and_classes_of_digits_stay_text(tmp_path, end):
    ids = {"id": ["007", "010"]}
    for number, values in enumerate(
        ({"prediction": ["01", "02"], "p(01)": [0.9, 0.2]}, {"prediction": [1, 2.5]})
    ):
        table = pa.table(ids | values)
        write_tables([table], tmp_path / f"{number}.{end}")
        assert read_table_file(tmp_path / f"{number}.{end}").equals(table)


@pytest.mark.parametrize("content", ["", "x,y\n", "x,x\n1,2\n", "x,y\n1\n"])
def test_what_is_no_table_is_said_alike(content, tmp_path):
    path = tmp_path / "a.csv"
    path.write_text(content)
    with pytest.raises(UserError) as whole:
        read_table(path)
    with pytest.raises(UserError) as parts:
        list(table_parts(path, 5))
    assert str(parts.value) == str(whole.value)


@pytest.mark.parametrize("tuning", ["probe", "head"])
def test_every_format_gives_the_same_in_its_order(runs, tuning, tmp_path, monkeypatch):
    monkeypatch.setattr(in_parts, "SEQUENCES_AT_ONCE", 7)
    model = lifecode.load(runs / tuning)
    expected = model.predict(GENES)
    assert isinstance(model, TunedModel if tuning == "probe" else TunedNetwork)
    assert model.told["task"]["train"].endswith("train.csv")
    assert model.labels.classes == ("high", "low")
    with torch.autocast("cpu", dtype=torch.bfloat16), torch.inference_mode():
        np.testing.assert_array_equal(model.predict(GENES), expected)
    described = lifecode.info(runs / tuning)
    assert described.shape[0] == "fine-tuned, binary of each sequence: high, low"
    assert described.parts == lifecode.info(runs / tuning / "encoder").parts
    with pytest.raises(UserError, match=r"Give .*encoder, what this fine-tuned model reads with"):
        lifecode.LifeCode.from_pretrained(runs / tuning)
    for path in files_in(tmp_path):
        frame = lifecode.predict(runs / tuning, path, progress=False)
        assert frame["id"].tolist() == [f"g{i}" for i in range(23)]
        np.testing.assert_allclose(frame[["p(high)", "p(low)"]], expected, atol=1e-6)


@pytest.mark.parametrize("end", ["csv", pytest.param("parquet", marks=pytest.mark.slow)])
def test_a_kill_loses_at_most_a_part(runs, end, tmp_path, monkeypatch):
    monkeypatch.setattr(in_parts, "SEQUENCES_AT_ONCE", 5)
    path, output = files_in(tmp_path)[0], tmp_path / f"out.{end}"
    arguments = [f"checkpoint={runs}/head", f"input={path}", f"output={output}"]
    read, parts = TunedNetwork.predict, []

    def dying(self, sequences):
        parts.append(len(sequences))
        if len(parts) == 3:
            raise KeyboardInterrupt
        return read(self, sequences)

    monkeypatch.setattr(TunedNetwork, "predict", dying)
    assert main(["predict", *arguments]) != 0
    assert not output.exists()
    assert main(["predict", *arguments]) == 0
    assert parts == [5, 5, 5, 5, 5, 3]  # the first two are not done again
    assert not output.with_name(f"{output.name}.unfinished").exists()
    whole = lifecode.predict(runs / "head", path, progress=False)
    found = pq.read_table(output) if end == "parquet" else pa_csv.read_csv(output)
    assert found.column("id").to_pylist() == whole["id"].tolist()
    np.testing.assert_allclose(found.column("p(low)").to_numpy(), whole["p(low)"], atol=1e-12)


def test_a_run_on_the_hub_is_loaded_by_its_name(runs, tmp_path, monkeypatch):
    asked = []

    def snapshot_download(repo_id, *, revision, allow_patterns):
        asked.append((repo_id, revision))
        copy = tmp_path / "cache"
        for pattern in allow_patterns:
            for file in (runs / "probe").glob(pattern):
                (copy / file.relative_to(runs / "probe")).parent.mkdir(parents=True, exist_ok=True)
                shutil.copy(file, copy / file.relative_to(runs / "probe"))
        return str(copy)

    monkeypatch.setattr(huggingface_hub, "snapshot_download", snapshot_download)
    monkeypatch.chdir(tmp_path)
    expected = lifecode.load(runs / "probe").predict(GENES)
    np.testing.assert_array_equal(lifecode.load("user/tuned", revision="v1").predict(GENES), expected)
    path, output = files_in(tmp_path)[0], tmp_path / "out.parquet"
    assert main(["predict", "checkpoint=user/tuned", f"input={path}", f"output={output}"]) == 0
    assert pq.read_table(output).num_rows == len(GENES)
    assert asked == [("user/tuned", "v1"), ("user/tuned", None)]


def test_parts_of_other_sequences_are_not_taken(runs, tmp_path, monkeypatch):
    path, output = files_in(tmp_path)[0], tmp_path / "out.csv"
    unfinished = tmp_path / "out.csv.unfinished"
    unfinished.mkdir()
    (unfinished / "of.json").write_text('{"of": "another", "sequence": null, "id": null}')
    pq.write_table(pa.table({"id": ["wrong"]}), unfinished / "000000000.parquet")
    assert main(["predict", f"checkpoint={runs}/head", f"input={path}", f"output={output}"]) == 0
    assert pa_csv.read_csv(output).column("id").to_pylist()[0] == "g0"


def test_a_wrong_letter_is_named_by_the_row_of_the_file(runs, tmp_path, monkeypatch):
    monkeypatch.setattr(in_parts, "SEQUENCES_AT_ONCE", 2)
    (tmp_path / "a.csv").write_text("sequence\nACGTACGT\nACGTACGT\nACGTACGT\nACGTAC!T\n")
    with pytest.raises(UserError, match=r"record 4"):
        lifecode.predict(runs / "head", tmp_path / "a.csv", progress=False)
    with pytest.raises(UserError, match="is not a nucleotide"):
        lifecode.load(runs / "head").predict(["ACG!"])


def test_a_file_that_holds_nothing_leaves_nothing(runs, tmp_path, capsys):
    (tmp_path / "empty.csv").write_text("")
    (tmp_path / "header.csv").write_text("id,sequence\n")
    pq.write_table(pa.table({"sequence": pa.array([], pa.string())}), tmp_path / "none.parquet")
    before = sorted(tmp_path.iterdir())
    for name, said in (
        ("empty.csv", "the file is empty"),
        ("header.csv", "has no rows"),
        ("none.parquet", "has no rows"),
        ("missing.csv", "there is no such file"),
    ):
        given = [f"checkpoint={runs}/probe", f"input={tmp_path}/{name}", f"output={tmp_path}/out.csv"]
        assert main(["predict", *given]) == 2
        assert f"{name}: {said}" in capsys.readouterr().err
        assert sorted(tmp_path.iterdir()) == before


def test_what_a_model_cannot_read_is_named_by_its_record(runs, tmp_path, capsys):
    for name, text, said in (
        ("protein.fa", ">a\nATGAAA\n>b\nMKRISTT\n", "protein.fa, record b: letter 'I' at position 4"),
        ("gap.fa", ">a\nATG-AA\n", "gap.fa, record a: letter '-' at position 4"),
        (
            "blank.csv",
            "id,sequence\na,ATGAAA\nb,\n",
            "blank.csv, record in row 2: column 'sequence' is empty",
        ),
        ("none.csv", "x,y\n1,2\n", "no column holds DNA or RNA. Name the column: sequence=..."),
    ):
        (tmp_path / name).write_text(text)
        given = [f"checkpoint={runs}/probe", f"input={tmp_path}/{name}", f"output={tmp_path}/out.csv"]
        assert main(["predict", *given]) == 2
        assert said in capsys.readouterr().err
    assert not list(tmp_path.glob("out*"))
    (tmp_path / "short.fa").write_text(">a\nATG\n")
    assert lifecode.predict(runs / "probe", tmp_path / "short.fa", progress=False)["id"].tolist() == ["a"]
