"""The rows of a training run: what of the config they are made by, and which folder they lie in."""

from pathlib import Path

import pytest

from lifecode.app.from_python import compose
from lifecode.errors import UserError
from lifecode.verbs.train.luca_one import row_data

CHOSEN = ["model=lucaone_tiny", "pretraining=luca_one", "input=ecoli"]
OTHER = {
    "input": "other.gb",
    "seed": "3",
    "data.split.test": "0.3",
    "data.reading.on_malformed": "skip",
    "pretraining.interpro": "[a.tsv]",
    "pretraining.interpro_entries": "entry.list",
    "pretraining.structures": "[b.cif]",
    "pretraining.orders": "orders.txt",
    "pretraining.rows.max_letters": "100",
    "pretraining.rows.reverse_strand": "false",
    "pretraining.rows.pseudogenes": "false",
    "pretraining.rows.max_unknown_share": "0.1",
    "pretraining.rows.sites": "interpro",
}


def made(monkeypatch: pytest.MonkeyPatch, *changes: str) -> tuple[str, str]:
    """What `make_rows` is asked for, and the folder."""
    asked: dict[str, object] = {}

    def record(sources: object, output: Path, **settings: object) -> dict[str, object]:
        asked.update(sources=sources, **{key: x for key, x in settings.items() if key != "say"})
        raise KeyboardInterrupt

    monkeypatch.setattr(row_data, "make_rows", record)
    config = compose("train", *CHOSEN, *changes)
    with pytest.raises(KeyboardInterrupt):
        row_data.prepare_rows(config, Path("nowhere"))
    return repr(asked), row_data._digest(config)


@pytest.mark.parametrize(("key", "value"), OTHER.items())
def test_a_key_that_makes_other_rows_makes_another_folder(
    key: str, value: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    before, after = made(monkeypatch), made(monkeypatch, f"{key}={value}")
    assert before[0] != after[0]
    assert before[1] != after[1]


def test_other_keys_leave_the_rows_where_they_are(monkeypatch: pytest.MonkeyPatch) -> None:
    assert made(monkeypatch) == made(
        monkeypatch, "pretraining.batch.rows=4", "pretraining.masking.fraction=0.2", "optim.encoder.lr=0.01"
    )


@pytest.mark.parametrize("form", ["{}", "[ecoli,{}]"])
def test_an_input_that_names_another_key_is_that_keys_value(
    form: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    named = "input=" + form.format("'${input_folder}/a.gb'")
    given = made(monkeypatch, "+input_folder=genomes", named)
    assert given == made(monkeypatch, "+input_folder=genomes", "input=" + form.format("genomes/a.gb"))
    assert given != made(monkeypatch, "+input_folder=others", named)


def test_a_data_set_as_released_has_folders_of_files(tmp_path: Path) -> None:
    header = "obj_id,obj_type,obj_seq,obj_label,obj_source\n"
    for name, row in (
        ("train/2023112418163521_1.csv", "a,gene,ACGT,\"{'seq_level': {'gene_taxonomy': 2}}\",refseq\n"),
        ("train/2023112314061479_1.csv", "b,prot,MKV,{},uniprot\n"),
        ("dev/1.csv", "c,prot,MK,{},uniprot\n"),
    ):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(header + row)
    assert row_data.given_folder(str(tmp_path)) == tmp_path
    with pytest.raises(UserError, match=r"there is no test\.csv here"):
        row_data.read_row_data(tmp_path, 10)
    (tmp_path / "test").mkdir()
    (tmp_path / "test" / "1.csv").write_text(header)
    data = row_data.read_row_data(tmp_path, 10)
    assert {split: len(table) for split, table in data.tables.items()} == {
        "train": 2,
        "validation": 1,
        "test": 0,
    }
    assert data.names.of_task == {"gene_taxonomy": ("0", "1", "2")}
    row_data.require_same_rows(tmp_path, tmp_path)
    (tmp_path / "train" / "2.csv").write_text(header + "d,prot,MK,{},uniprot\n")
    with pytest.raises(UserError, match="holds other rows"):
        row_data.require_same_rows(tmp_path, tmp_path)
