"""Config groups that have another name now: what was said before means the same, wherever it stands."""

from pathlib import Path

import pytest
from omegaconf import OmegaConf

import lifecode
from lifecode.app.configs.renamed import todays_overrides
from lifecode.app.main import main
from tests.support.old_runs import BEFORE


@pytest.fixture
def job(capsys, tmp_path, monkeypatch):
    """The config that a command line composes."""
    monkeypatch.chdir(tmp_path)

    def composed(*arguments):
        assert main([*arguments, "--cfg", "job"]) == 0, capsys.readouterr().err
        return OmegaConf.create(capsys.readouterr().out)

    return composed


@pytest.mark.parametrize(
    ("verb", "before", "today"),
    [
        ("prepare", "split=contigs", ["data/split=contigs"]),
        ("train", "reading=default", ["data/reading=default"]),
        ("train", "batching=default", []),
        ("prepare", "data=life_code", ["sources=life_code", "input_folder=x"]),
        ("dogma", "task=splice", ["dataset=splice"]),
        ("dogma", "task.dna_negatives=3", ["dataset.dna_negatives=3"]),
    ],
)
def test_the_words_of_before_compose_the_same_config(job, verb, before, today):
    folder = [line for line in today if line.startswith("input_folder")]
    assert job(verb, before, *folder) == job(verb, *today)
    assert lifecode.compose(verb, before, *folder) == lifecode.compose(verb, *today)


@pytest.mark.parametrize(
    ("verb", "line", "today"),
    [
        ("train", "+split=contigs", ["+data/split=contigs"]),
        ("train", "~split", ["~data/split"]),
        ("train", "split=blocks,contigs", ["data/split=blocks,contigs"]),
        ("train", "data/split=contigs", ["data/split=contigs"]),
        ("train", "data.split.test=[chr5]", ["data.split.test=[chr5]"]),
        ("train", "split.test=0.1", ["split.test=0.1"]),
        ("train", "data=genome", ["data=genome"]),
        ("train", "data=life_code,many_species", ["sources=life_code,many_species"]),
        ("train", "batching=mine", ["+batching=mine"]),
        ("train", "+batching=mine", ["+batching=mine"]),
        ("train", "task=splice", ["task=splice"]),
        ("train", "name=split=contigs", ["name=split=contigs"]),
    ],
)
def test_each_form_of_an_override(verb, line, today):
    assert todays_overrides(verb, [line]) == today
    assert todays_overrides(verb, today) == today


def test_every_key_of_a_run_of_before_is_there(job):
    now = OmegaConf.to_container(job("train", "experiment=quickstart"), resolve=True)
    before = OmegaConf.to_container(OmegaConf.load(BEFORE))
    assert set(before["data"]) == set(now["data"]) - {"batch_seed"}  # which is younger
    assert before.keys() <= now.keys()


def test_a_new_name_is_said(capsys, tmp_path):
    assert main(["dogma", "task=splice", f"output={tmp_path}/out", "--cfg", "job"]) == 0
    out, err = capsys.readouterr()
    assert err == "lifecode dogma: task= is now dataset=, and its keys dataset.*; the old name still works\n"
    assert "task" not in out


def sweeps(monkeypatch):
    """Records the jobs of `lifecode train`, which here does nothing."""
    from lifecode.app import provenance as start
    from lifecode.verbs.train import train

    jobs = []
    monkeypatch.setattr(train, "run", lambda config: jobs.append((config, start.current_start())))
    return jobs


def test_a_sweep_has_the_names_that_it_always_had(monkeypatch, tmp_path):
    """A repeated sweep finds its runs, and a report the groups that older runs are in."""
    monkeypatch.chdir(tmp_path)
    jobs = sweeps(monkeypatch)
    assert main(["train", "-m", "data/split=blocks,contigs", "name=s"]) == 0
    assert [config.run_dir for config, _ in jobs] == ["runs/s/split=blocks", "runs/s/split=contigs"]
    assert [config.data.split._target_.split(".")[-1] for config, _ in jobs] == ["BlockSplit", "ContigSplit"]
    assert jobs[0][1].sweep == {"split": ["blocks", "contigs"]}
    assert jobs[1][1].overrides == ["data/split=contigs", "name=s"]


OLD_EXPERIMENT = """
# @package _global_
defaults: [{override /split: contigs}, {override /data: life_code}]
hydra: {sweeper: {params: {split: "contigs,theirs"}}}
"""


def test_a_folder_of_old_experiments_and_groups(job, monkeypatch, tmp_path):
    for name, text in {
        "experiment/old.yaml": OLD_EXPERIMENT.lstrip(),
        "split/theirs.yaml": "# @package data.split\n_target_: lifecode.data.split.BlockSplit\ntest: 0.25\n",
    }.items():
        path = Path(tmp_path, "conf", name)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    given = ["--config-dir", f"{tmp_path}/conf", "experiment=old", "input_folder=x"]
    config = job("train", *given)
    assert config.data.split._target_ == "lifecode.data.ContigSplit"
    assert len(config.input) == 5
    jobs = sweeps(monkeypatch)
    assert main(["train", "-m", *given]) == main(["train", "-m", *given, "split=theirs"]) == 0
    assert [config.data.split.test for config, _ in jobs] == [0.1, 0.25, 0.25]
