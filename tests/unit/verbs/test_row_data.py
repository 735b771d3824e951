"""The rows of a training run: what of the config they are made by, and which folder they lie in."""

from pathlib import Path

import pytest

from lifecode.app.from_python import compose
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
