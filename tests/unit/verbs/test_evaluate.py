"""`lifecode evaluate` as a user types it: a table, and a second command that makes nothing anew."""

import csv
import json
import shutil

import numpy as np
import pytest

from lifecode.app.main import main
from lifecode.errors import Interrupted
from lifecode.tasks.contest import Contest
from lifecode.tasks.tuning import tuner
from tests.support.small_models import small_model


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """A model, and two sets of GUE of which GC says the class."""
    folder = tmp_path_factory.mktemp("suite")
    small_model(seed=3).save_pretrained(folder / "model")
    draw = np.random.default_rng(0)
    for name in ("emp_H3", "virus_covid"):
        for split, number in (("train", 24), ("dev", 6), ("test", 12)):
            rows = []
            for i in range(number):
                gc = 0.8 if i % 2 else 0.2
                letters = "".join(draw.choice(list("GC" if draw.random() < gc else "AT")) for _ in range(40))
                rows.append(f"{letters},{i % 2}")
            (folder / "GUE" / name).mkdir(parents=True, exist_ok=True)
            (folder / f"GUE/{name}/{split}.csv").write_text("sequence,label\n" + "\n".join(rows) + "\n")
    return folder


def evaluate(place, *arguments):
    return main(
        [
            "evaluate",
            "suite=gue",
            f"root={place}/GUE",
            f"run_dir={place}/run",
            "probe.frames=0",
            "baselines=[constant,3mers,untrained]",
            f"checkpoints=[{place}/model]",
            *arguments,
        ]
    )


def test_a_table_that_goes_on_where_it_was_stopped(place, capsys, monkeypatch):
    assert evaluate(place, "plan=true") == 0
    assert "8 of 8 cells would be made" in capsys.readouterr().out
    assert not (place / "run").exists()
    assert evaluate(place, "sets=[emp_H3]") == 0
    cells = {path: path.read_bytes() for path in (place / "run/cells").rglob("*.npz")}
    assert len(cells) == 4
    made = []
    predictions = Contest.predictions
    monkeypatch.setattr(Contest, "predictions", lambda *args: made.append(1) or predictions(*args))
    assert evaluate(place) == 0
    assert len(made) == 4  # those of virus_covid alone
    assert all(path.read_bytes() == content for path, content in cells.items())
    with (place / "run/results.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert {row["set"] for row in rows} == {"emp_H3", "virus_covid"}
    ours = [row for row in rows if row["role"] == "model" and row["metric"] == "mcc"]
    assert [row["best_baseline"] != "" for row in ours] == [True, True]
    assert all(float(row["mean"]) > 0.5 for row in ours)
    metrics = json.loads((place / "run/metrics.json").read_text())["sets"]["emp_H3"]
    assert metrics["baselines"]["constant"]["accuracy"]["mean"] == 0.5
    assert metrics["leaks"]["held_out"] == 12
    assert "sets/emp_H3/report.html" in (place / "run/report.html").read_text()
    assert (place / "run/sets/virus_covid/report.html").is_file()
    capsys.readouterr()
    assert evaluate(place, "plan=true", "seed=1") == 0
    assert "8 of 8 cells would be made" in capsys.readouterr().out  # the settings are others


@pytest.mark.slow
def test_every_way_of_tuning_makes_cells_of_its_own(place, capsys, monkeypatch):
    given = ("sets=[emp_H3]", "baselines=[constant,untrained]", f"run_dir={place}/tuned", "head.frames=0")
    given += ("probe.frames=null", "tuning=head", "fit.epochs=2", "fit.accelerator=cpu")
    fits, fit = [], tuner.fit_network

    def stopped_once(*arguments, **settings):
        fits.append(1)
        if len(fits) == 2:  # that of the untrained twin
            raise Interrupted("stopped")
        return fit(*arguments, **settings)

    monkeypatch.setattr(tuner, "fit_network", stopped_once)
    assert evaluate(place, *given) != 0
    assert evaluate(place, *given) == 0
    assert len(fits) == 3  # the model's was not done again
    metrics = json.loads((place / "tuned/metrics.json").read_text())["sets"]["emp_H3"]
    assert metrics["tuning"] == "head"
    assert metrics["fit"]["epochs"] == 2
    assert set(metrics["models"]) == {f"{place}/model"}
    assert set(metrics["baselines"]) == {"constant", f"untrained {place}/model"}
    assert not (place / "tuned/cells/emp_H3/unfinished").exists()
    capsys.readouterr()
    assert evaluate(place, *given, "plan=true") == 0
    assert "0 of 3 cells would be made" in capsys.readouterr().out
    for other in ("fit.epochs=3", "tuning=lora", "tuning=full", "tuning=probe"):
        assert evaluate(place, *given, other, "plan=true") == 0
        told = capsys.readouterr()
        assert "2 of 3 cells would be made" in told.out
        assert ("fit is set, and this run does not read it" in told.err) == (other == "tuning=probe")


def test_a_set_that_cannot_be_read_does_not_stop_the_others(place, tmp_path, capsys):
    for name in ("emp_H3", "virus_covid"):
        shutil.copytree(place / "GUE" / name, tmp_path / "GUE" / name)
    (tmp_path / "GUE/emp_H3/dev.csv").write_text("sequence,label\nACGT,7\n")
    given = (
        f"root={tmp_path}/GUE",
        f"run_dir={tmp_path}/run",
        "checkpoints=[]",
        "baselines=[constant,3mers]",
    )
    assert evaluate(place, *given) == 2
    told = capsys.readouterr()
    assert "label '7' is none of the training file's classes" in told.err
    assert "virus_covid: Matthews correlation" in told.out
    kept = json.loads((tmp_path / "run/metrics.json").read_text())
    assert list(kept["sets"]) == ["virus_covid"]
    assert "label '7'" in kept["left_out"]["emp_H3"]
    assert "label &#39;7&#39;" in (tmp_path / "run/report.html").read_text()
    assert evaluate(place, *given, "plan=true") == 2
    assert "0 of 2 cells would be made" in capsys.readouterr().out
    (tmp_path / "GUE/virus_covid/test.csv").write_text("")
    assert evaluate(place, *given, f"run_dir={tmp_path}/other") == 2
    assert not (tmp_path / "other/results.csv").exists()


def test_a_peer_stands_beside_and_the_cnn_can_be_left_out(place, capsys):
    from tests.support.esm_checkpoint import save_esm_checkpoint

    save_esm_checkpoint(place / "esm")  # whose letters are DNA's too
    peer = ("peer=transformers", f"peer.transformers.model={place}/esm", "checkpoints=[]")
    given = ("sets=[emp_H3]", "baselines=[cnn,length_gc,untrained]", f"run_dir={place}/peers")
    assert evaluate(place, *peer, *given, "without=[cnn]") == 0
    with (place / "peers/results.csv").open() as file:
        rows = list(csv.DictReader(file))
    measured = {row["model"] for row in rows if row["role"] != "published"}
    assert measured == {"transformers", "untrained transformers", "length_gc"}
    assert {row["mean"] for row in rows if row["model"] == "DNABERT2"} == {"0.7827"}  # marked as published
    capsys.readouterr()
    assert evaluate(place, *peer, *given, "plan=true") == 0
    assert "1 of 4 cells would be made" in capsys.readouterr().out  # the CNN's


def test_a_changed_cell_and_a_strange_folder_are_one_line(place, tmp_path, capsys):
    assert evaluate(place, "sets=[emp_H3]") == 0
    cell = next((place / "run/cells/emp_H3").glob("3mers*"))
    before = cell.read_bytes()
    cell.write_bytes(before[:40])
    assert evaluate(place, "sets=[emp_H3]") == 2
    assert "Delete it; the same command makes it again" in capsys.readouterr().err
    cell.unlink()
    assert evaluate(place, "sets=[emp_H3]") == 0
    assert cell.read_bytes() == before
    (tmp_path / "mine.txt").write_text("x")
    assert evaluate(place, f"run_dir={tmp_path}") == 2
    assert "holds no evaluation" in capsys.readouterr().err
    assert [path.name for path in tmp_path.iterdir()] == ["mine.txt"]
