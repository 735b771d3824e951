"""Baselines are called the same by every verb, and no model is called like one of them."""

from types import SimpleNamespace

import pytest

import lifecode
from lifecode.errors import UserError
from lifecode.tasks import PairTask, Probe, SequenceTask
from lifecode.tasks.names_in_tables import BASELINES, model_name, notes_on_name, require_baselines
from lifecode.tasks.suites.benchmark import PairSet, SequenceSet, ZeroShotSet
from lifecode.tasks.suites.settings import Settings
from lifecode.verbs import evaluate as verb
from tests.support.labelled_genes import write_genes
from tests.support.small_models import small_model


@pytest.mark.parametrize(
    ("given", "name"),
    [
        ("lifecode-mini", "lifecode-mini"),
        ("runs/untrained", "runs/untrained"),
        ("untrained", "untrained (model)"),
        ("constant", "constant (model)"),
        ("blosum62", "blosum62 (model)"),
        ("without_states", "without_states (model)"),
        ("untrained lifecode-mini", "untrained lifecode-mini (model)"),
    ],
)
def test_a_model_is_not_called_like_a_baseline(given, name):
    assert model_name(given) == name
    said = notes_on_name(name)
    assert said == ([] if name == given else [said[0]])
    assert all(f"{given!r} is called {name!r}" in line for line in said)


def test_names_of_another_kind_of_task_are_told_with_those_of_this_one():
    require_baselines(["cnn", "untrained"], "baselines", ["sequences"])
    require_baselines(["cnn", "blosum62"], "without", ["sequences", "mutants"])
    require_baselines(None, "baselines", ["pairs"])
    with pytest.raises(UserError, match="without: 'blosum62' is a baseline of mutants, and these are pairs"):
        require_baselines(["blosum62"], "without", ["pairs"])
    with pytest.raises(UserError, match=r"'cnm' is no baseline.*Use untrained, blosum62, residue_unigram"):
        require_baselines(["cnm"], "baselines", ["mutants"])


def test_tuning_and_evaluating_know_the_same_names(tmp_path):
    train, model = str(write_genes(tmp_path / "a.csv", 12)), small_model()
    for task, name, others in (
        (SequenceTask(train=train), "dogma_rule", "cnn"),
        (PairTask(train=train), "cnn", "dogma_rule"),
    ):
        for key in ("baselines", "without"):
            with pytest.raises(
                UserError, match=rf"{key}: '{name}' is a baseline of .*Use constant, .*{others}"
            ):
                lifecode.finetune(task, checkpoint=model, progress=False, **{key: [name]})
    mutants = ZeroShotSet(name="m", read=lambda *_: None, averaged_by="m", group="g")
    sequences = SequenceSet(name="s", task=SequenceTask(train=train))
    pairs = PairSet(name="p", task=PairTask(train=train))
    (tmp_path / "root").mkdir()

    def chosen(sets, **names):
        suite = SimpleNamespace(sets=lambda _: {one.name: one for one in sets})
        return verb._chosen(suite, tmp_path / "root", None, Settings(probe=Probe(), **names))

    assert chosen([mutants, pairs], without=["blosum62", "dogma_rule"], baselines=["residue_unigram"])
    assert Settings(probe=Probe(), baselines=["cnn", "blosum62"]).baselines_of("mutants") == ["blosum62"]
    with pytest.raises(UserError, match="baselines: 'cnn' is a baseline of sequences, and these are mutants"):
        chosen([mutants], baselines=["cnn"])
    with pytest.raises(UserError, match=r"without: 'blosum62' .* and these are sequences and pairs"):
        chosen([sequences, pairs], without=["blosum62"])
    assert set(BASELINES) == {sequences.kind, pairs.kind, mutants.kind}


@pytest.mark.parametrize("name", ["constant", pytest.param("untrained", marks=pytest.mark.slow)])
def test_a_folder_called_like_a_baseline_keeps_its_own_figures(name, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    small_model().save_pretrained(tmp_path / name)
    task = SequenceTask(
        train=str(write_genes(tmp_path / "a.csv", 24)), test=str(write_genes(tmp_path / "b.csv", 10, 3))
    )
    found = lifecode.finetune(
        task, checkpoint=name, probe=Probe(frames=0), baselines=["constant", "untrained"], progress=False
    )
    assert any(f"the model '{name}' is called '{name} (model)' here" in note for note in found.notes)
    assert found.metrics["encoder"] == f"{name} (model)"
    assert set(found.metrics["baselines"]) == {"constant", "untrained"}
    assert found.metrics["baselines"]["constant"]["mcc"]["mean"] == 0
    assert found.metrics["test"]["mcc"]["mean"] != 0  # not those of the constant
    assert found.predictions["p(high)"].nunique() > 2
