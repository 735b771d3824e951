"""`lifecode predict`: any kind of file, in its order, on from where a kill left it; and `lifecode.load`."""

import gzip

import numpy as np
import pyarrow as pa
import pyarrow.csv as pa_csv
import pyarrow.parquet as pq
import pytest

import lifecode
from lifecode.app.main import main
from lifecode.errors import UserError
from lifecode.tasks import Fit, SequenceTask, TunedModel, TunedNetwork, predict
from lifecode.tasks.examples.table import read_table
from lifecode.tasks.examples.table_chunks import table_chunks
from tests.support.labelled_genes import labelled_genes, write_genes
from tests.support.small_models import small_model

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
        parts = list(table_chunks(path, 5))
        assert [part.first for part in parts] == [0, 5, 10, 15, 20]
        for name, values in whole.columns.items():
            assert [x for part in parts for x in part.columns[name]] == values


def test_a_value_may_go_over_the_end_of_a_line(tmp_path):
    (tmp_path / "a.csv").write_text('x,y\n1,"a\nb\nc"\n2,d\n\n3,"e"\n')
    parts = list(table_chunks(tmp_path / "a.csv", 1))
    assert [part.columns["y"] for part in parts] == [["a\nb\nc"], ["d"], ["e"]]


@pytest.mark.parametrize("content", ["", "x,y\n", "x,x\n1,2\n", "x,y\n1\n"])
def test_what_is_no_table_is_said_alike(content, tmp_path):
    path = tmp_path / "a.csv"
    path.write_text(content)
    with pytest.raises(UserError) as whole:
        read_table(path)
    with pytest.raises(UserError) as parts:
        list(table_chunks(path, 5))
    assert str(parts.value) == str(whole.value)


@pytest.mark.parametrize("tuning", ["probe", "head"])
def test_every_format_gives_the_same_in_its_order(runs, tuning, tmp_path, monkeypatch):
    monkeypatch.setattr(predict, "SEQUENCES_AT_ONCE", 7)
    model = lifecode.load(runs / tuning)
    expected = model.predict(GENES)
    assert isinstance(model, TunedModel if tuning == "probe" else TunedNetwork)
    assert model.told["task"]["train"].endswith("train.csv")
    assert model.labels.classes == ("high", "low")
    for path in files_in(tmp_path):
        frame = lifecode.predict(runs / tuning, path, progress=False)
        assert frame["id"].tolist() == [f"g{i}" for i in range(23)]
        np.testing.assert_allclose(frame[["p(high)", "p(low)"]], expected, atol=1e-6)


@pytest.mark.parametrize("end", ["csv", pytest.param("parquet", marks=pytest.mark.slow)])
def test_a_kill_loses_at_most_a_part(runs, end, tmp_path, monkeypatch):
    monkeypatch.setattr(predict, "SEQUENCES_AT_ONCE", 5)
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


def test_parts_of_other_sequences_are_not_taken(runs, tmp_path, monkeypatch):
    path, output = files_in(tmp_path)[0], tmp_path / "out.csv"
    unfinished = tmp_path / "out.csv.unfinished"
    unfinished.mkdir()
    (unfinished / "of.json").write_text('{"of": "another", "sequence": null, "id": null}')
    pq.write_table(pa.table({"id": ["wrong"]}), unfinished / "000000000.parquet")
    assert main(["predict", f"checkpoint={runs}/head", f"input={path}", f"output={output}"]) == 0
    assert pa_csv.read_csv(output).column("id").to_pylist()[0] == "g0"


def test_a_wrong_letter_is_named_by_the_row_of_the_file(runs, tmp_path, monkeypatch):
    monkeypatch.setattr(predict, "SEQUENCES_AT_ONCE", 2)
    (tmp_path / "a.csv").write_text("sequence\nACGTACGT\nACGTACGT\nACGTACGT\nACGTAC!T\n")
    with pytest.raises(UserError, match=r"record 4"):
        lifecode.predict(runs / "head", tmp_path / "a.csv", progress=False)
    with pytest.raises(UserError, match="is not a nucleotide"):
        lifecode.load(runs / "head").predict(["ACG!"])
