"""Each job of a sweep leaves what it makes in a place of its own."""

import itertools
from types import SimpleNamespace

import numpy as np
import pytest
from hydra.types import RunMode
from omegaconf import OmegaConf

from lifecode.app.job_place import give_own_place
from lifecode.app.main import main
from lifecode.app.provenance import Start
from lifecode.errors import UserError

MULTIRUN = SimpleNamespace(mode=RunMode.MULTIRUN, job=SimpleNamespace(num=7))


def places(sweep, key="output", value="out"):
    """The place of every job of a sweep over one or two keys."""
    (first, *second), found = sweep.items(), []
    for one in first[1]:
        for other in second[0][1] if second else [None]:
            varied = {first[0]: one} | ({second[0][0]: other} if second else {})
            config = OmegaConf.create({key: varied.get(key, value)})
            give_own_place(config, Start("x", varied, sweep), MULTIRUN)
            found.append(config[key])
    return found


@pytest.mark.parametrize(
    ("value", "sweep", "expected"),
    [
        ("out", {"input": ["a", "b"]}, ["out/input=a", "out/input=b"]),
        ("d/x.npz", {"input": ["a", "b"]}, ["d/x.input=a.npz", "d/x.input=b.npz"]),
        ("x.npz", {"output": ["a.npz", "b.npz"]}, ["a.npz", "b.npz"]),
        ("x.npz", {"output": ["a.npz", "b.npz"], "pool": ["cls"]}, ["a.pool=cls.npz", "b.pool=cls.npz"]),
        (None, {"input": ["a", "b"]}, [None, None]),
        ("out", {}, ["out/7"]),
    ],
)
def test_where_jobs_write(value, sweep, expected):
    if not sweep:  # a sweeper that says nothing of its values
        config = OmegaConf.create({"output": value})
        give_own_place(config, Start("x"), MULTIRUN)
        assert [config.output] == expected
    else:
        assert places(sweep, value=value) == expected


@pytest.mark.parametrize(
    ("run_dir", "sweep", "expected"),
    [
        ("runs/${name}", {"name": ["a", "b"]}, ["runs/a", "runs/b"]),
        ("x", {"name": ["a", "b"]}, ["x/name=a", "x/name=b"]),
        ("x", {"name": ["a", "b"], "seed": ["1"]}, ["x/name=a,seed=1", "x/name=b,seed=1"]),
        ("runs/${name}", {"name": ["a", "b"], "seed": ["1"]}, ["runs/a/seed=1", "runs/b/seed=1"]),
        (None, {"run_dir": ["x"], "name": ["a", "b"]}, ["x/name=a", "x/name=b"]),
        (None, {"run_dir": ["x/${name}"], "name": ["a", "b"]}, ["x/a", "x/b"]),
    ],
)
def test_a_name_is_a_place_where_run_dir_is_made_of_it(run_dir, sweep, expected):
    found = []
    for values in itertools.product(*sweep.values()):
        varied = dict(zip(sweep, values, strict=True))
        config = OmegaConf.create({"run_dir": run_dir, "name": "x"} | varied)
        give_own_place(config, Start("x", varied, sweep), MULTIRUN)
        found.append(config.run_dir)
    assert found == expected


def test_values_that_would_have_one_name_are_told_apart():
    found = places({"input": ["a/b", "a:b", "a b", "c"]}, value="x.npz")
    assert len(set(found)) == 4
    assert found[3] == "x.input=c.npz"


@pytest.mark.parametrize(
    ("value", "sweep", "said"),
    [
        ("x.npz", {"output": ["a.npz", "./a.npz"]}, "output: names one place twice"),
        ("x.npz", {"input": ["a", "a"]}, "input: has a value twice"),
        (None, {"name": ["a", "b"]}, "output: needs a value"),
        (None, {"input": ["a", "b"], "name": ["a", "b"]}, "output: needs a value"),
        (None, {"input": ["a", "./a"]}, "input: names one place twice"),
    ],
)
def test_two_jobs_of_one_place_are_an_error(value, sweep, said):
    with pytest.raises(UserError, match=said):
        places(sweep, value=value)


@pytest.fixture
def two_files(tmp_path, monkeypatch):
    (tmp_path / "one").write_text(">a\nATGAAACGCATTAGC\n")
    (tmp_path / "two").write_text(">b\nATGGCTGCTGCTGCT\n")
    monkeypatch.chdir(tmp_path)


def ids(path):
    with np.load(path) as arrays:
        return arrays["ids"].tolist()


def test_embed_on_the_advice_of_the_program(two_files, tmp_path, capsys):
    assert main(["embed", "input=one,two"]) == 2
    advice = capsys.readouterr().err.rsplit("lifecode ", 1)[1].split()
    assert advice == ["embed", "-m", "input=one,two"]
    assert main(advice) == 0
    out = capsys.readouterr().out
    for name, record in (("one", "a"), ("two", "b")):
        assert ids(tmp_path / f"embeddings.input={name}.npz") == [record]
        assert f"in embeddings.input={name}.npz" in out


def test_outputs_given_by_hand(two_files, tmp_path):
    assert main(["embed", "-m", "input=one", "output=a.npz,b.npz"]) == 0
    assert ids(tmp_path / "a.npz") == ids(tmp_path / "b.npz") == ["a"]


@pytest.mark.slow
def test_jobs_side_by_side(two_files, tmp_path, small_genome):
    side_by_side = ["hydra/launcher=joblib", "hydra.launcher.n_jobs=2"]
    assert main(["embed", "-m", "input=one,two", "output=x.npz", *side_by_side]) == 0
    assert ids(tmp_path / "x.input=one.npz") == ["a"]
    assert ids(tmp_path / "x.input=two.npz") == ["b"]
    split = "data.split.block_nucleotides=6000,7000"
    assert main(["prepare", "-m", f"input={small_genome}", "output=c", split, *side_by_side]) == 0
    assert len(list(tmp_path.glob("c/*/manifest.json"))) == 2
