"""Baselines are called the same by every verb, and no model is called like one of them."""

from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

import lifecode
from lifecode.errors import UserError
from lifecode.tasks import PairTask, Probe, SequenceTask
from lifecode.tasks.baselines import usual_baselines
from lifecode.tasks.names_in_tables import BASELINES, model_name, notes_on_name, require_baselines
from lifecode.tasks.suites.benchmark import PairSet, SequenceSet, ZeroShotSet
from lifecode.tasks.suites.layouts.lucaone import LucaOne
from lifecode.tasks.suites.settings import Settings
from lifecode.tasks.suites.under_way import opened_set, read_set
from lifecode.verbs.evaluate import evaluate as verb
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


@pytest.mark.parametrize("molecule", ["cds", "protein"])
def test_the_help_names_the_usual_baselines(molecule):
    text = (Path(lifecode.__file__).parents[1] / "conf" / "finetune.yaml").read_text(encoding="utf-8")
    (line,) = [line for line in text.splitlines() if line.startswith("baselines:")]
    of_nucleic_acids, _, of_proteins = line.partition("of pairs")[0].partition("of proteins")
    of_nucleic_acids = of_nucleic_acids.replace("3mers to", "3mers, 4mers, 5mers,")
    told = of_proteins if molecule == "protein" else of_nucleic_acids
    words = [word.strip() for word in told.rpartition("null:")[2].strip("; ").split(",")]
    assert words == usual_baselines(molecule, "binary")


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
    with pytest.raises(UserError, match="baselines: 'cnn' is a baseline of sequences, and these are mutants"):
        chosen([mutants], baselines=["cnn"])
    with pytest.raises(UserError, match=r"without: 'blosum62' .* and these are sequences and pairs"):
        chosen([sequences, pairs], without=["blosum62"])
    assert set(BASELINES) == {sequences.kind, pairs.kind, mutants.kind}


def test_each_set_of_a_suite_takes_the_baselines_that_it_has(tmp_path):
    draw = np.random.default_rng(0)
    genes = write_genes(tmp_path / "genes.csv", 12)
    proteins = tmp_path / "proteins.csv"
    rows = [f"M{''.join(draw.choice(list('ACDEFGHIKL'), 9))},{i % 2}" for i in range(12)]
    proteins.write_text("sequence,label\n" + "\n".join(rows) + "\n")
    sets = {
        "genes": SequenceSet(name="genes", task=SequenceTask(train=str(genes))),
        "proteins": SequenceSet(name="proteins", task=SequenceTask(train=str(proteins), molecule="protein")),
        "rna": PairSet(name="rna", task=PairTask(train="a.csv", first_kind="protein", second_kind="dna")),
    }
    suite = SimpleNamespace(sets=lambda _: sets)
    asked = ["constant", "codon_frequency", "residues"]
    settings = Settings(probe=Probe(), folds=2, baselines=asked, without=["residue_2mers", "3mers"])
    chosen = verb._chosen(suite, tmp_path, ["genes", "proteins"], settings)
    read = [read_set(one, [], settings, print) for one in chosen]
    opened = [
        opened_set(one, found, [], settings, tmp_path / "cells", print)
        for one, found in zip(chosen, read, strict=True)
    ]
    names = [[competitor.name for competitor in one.competitors] for one in opened]
    assert names == [["constant", "codon_frequency"], ["constant", "residues"]]
    for one, other in zip(opened, ("residues", "codon_frequency"), strict=True):
        assert f"no baselines of these examples, and left out: {other}" in one.notes
    for key in ("baselines", "without"):
        with pytest.raises(UserError, match=rf"{key}: 'residues' is a baseline of none of these .*\(genes\)"):
            verb._chosen(suite, tmp_path, ["genes"], Settings(probe=Probe(), **{key: ["residues"]}))
        with pytest.raises(UserError, match=rf"{key}: 'dogma_rule' is a baseline of none of these sets"):
            verb._chosen(suite, tmp_path, ["rna"], Settings(probe=Probe(), **{key: ["dogma_rule"]}))


def test_a_set_of_the_layout_of_lucaone_says_its_molecules_before_it_is_read(tmp_path):
    tables = {
        "a/protein": "seq_id,seq_type,seq,label\n1,prot,MKR,1\n",
        "a/gene": "seq_id,seq_type,seq,label\n1,gene,ACG,1\n",
        "b/gene_protein": "seq_type_a,seq_type_b,seq_a,seq_b,label\ngene,prot,ACG,MK,1\n",
    }
    for place, text in tables.items():
        folder = tmp_path / place / "binary_class/train"
        folder.mkdir(parents=True)
        (folder / "train.csv").write_text(text)
    sets = LucaOne().sets(tmp_path)
    known = {name: set(one.baselines) for name, one in sets.items()}
    assert "residues" in known["a.protein.binary_class"]
    assert "3mers" not in known["a.protein.binary_class"]
    assert "3mers" in known["a.gene.binary_class"]
    assert "dogma_rule" in known["b.gene_protein.binary_class"]


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
