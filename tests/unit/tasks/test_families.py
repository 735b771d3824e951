"""Families behind one interface: LucaOne's letters, windows, layers and positions, and tasks on them."""

import json
import warnings

import numpy as np
import pytest
import torch
from pyarrow.csv import read_csv

import lifecode
from lifecode.app.main import main
from lifecode.errors import UserError
from lifecode.tasks import PairHead, Probe, SequenceTask
from lifecode.tasks.competitors.competitor import ModelReader
from lifecode.tasks.competitors.of_sequences import SequenceBlocks
from lifecode.tasks.examples.molecule import encoded
from lifecode.tasks.examples.task_data import read_task
from lifecode.tasks.families.luca_one import LucaOneReading
from lifecode.tasks.families.place import Place
from lifecode.tasks.features.encoder import ModelEncoder
from lifecode.tasks.pairs.pair_task import PairTask
from lifecode.tasks.tuned_model import save_tuned
from lifecode.tasks.tuning.settings import Fit, Lora, TrainedHead
from tests.support.small_models import small_luca_one, small_model

MODEL = small_luca_one(heads={})
SHORT = small_luca_one(heads={}, max_tokens=12)
GENES, PROTEINS = ["ACGTTGCATTAG", "AC", "GGTACCATTTTAGACCA"], ["MKRISTTITTT", "W", "MKVLAXB"]


def states_of(model, texts, molecule):
    found = ModelEncoder(model, molecule).states([encoded(text, molecule) for text in texts], Place())
    return dict(found)


@pytest.mark.parametrize(("texts", "molecule"), [(GENES, "dna"), (GENES, "cds"), (PROTEINS, "protein")])
@pytest.mark.parametrize("model", [MODEL, SHORT])
def test_letters_states_are_those_of_embed_also_of_windows(model, texts, molecule):
    found = states_of(model, texts, molecule)
    with warnings.catch_warnings():  # of windows
        warnings.simplefilter("ignore")
        letters = model.embed(texts, pool=None, molecule=molecule)
        firsts = model.embed(texts, pool="cls", molecule=molecule)
    for number, (own, first) in enumerate(zip(letters, firsts, strict=True)):
        np.testing.assert_allclose(found[number][1:-1], own.numpy(), atol=2e-6)
        np.testing.assert_allclose(found[number][0], first.numpy(), atol=2e-6)


def test_every_layer_and_a_mean_over_layers():
    reading = LucaOneReading("dna", MODEL.max_letters)
    row = reading.pack([reading.segments(encoded(text, "dna"), 0)[0] for text in GENES])
    layers = [reading.states(MODEL, row, Place(layer)) for layer in (0, 1, 2)]
    torch.testing.assert_close(layers[2], MODEL.encode(row.tokens))
    mixed = reading.states(MODEL, row, Place(), torch.tensor([0.5, 0.25, 0.25]))
    torch.testing.assert_close(mixed, 0.5 * layers[0] + 0.25 * layers[1] + 0.25 * layers[2])


def test_states_of_positions():
    reading = LucaOneReading("dna", 100)
    assert reading.position_states(3, "nucleotide", 0, 3)[:, 0].tolist() == [
        [-1, 1, 2],
        [1, 2, 3],
        [2, 3, -1],
    ]
    assert reading.position_states(7, "codon", 0, 1)[..., 0].tolist() == [[1, 2, 3], [4, 5, 6]]
    assert (reading.num_blocks("codon", 0), reading.num_blocks("residue", 0)) == (3, 1)


@pytest.mark.parametrize(
    ("model", "molecule", "probe", "said"),
    [
        (MODEL, "dna", Probe(frames="stack"), "probe.frames: is stack, and the model reads single letters"),
        (MODEL, "dna", Probe(projected=True), "probe.projected: is true, and the model has no output"),
        (MODEL, "dna", Probe(layer=3), "probe.layer: is 3, and the model has 2 layers"),
        (small_model(), "protein", Probe(frames=1), "probe.frames: is 1, and proteins are read in their own"),
    ],
)
def test_what_a_family_does_not_have_is_one_line(model, molecule, probe, said):
    with pytest.raises(UserError, match=said):
        probe.states(ModelEncoder(model, molecule), "m", molecule)([encoded("ACGT", molecule)])


def protein(draw, rich):
    return "M" + "".join(draw.choice(list("DEKR" if draw.random() < rich else "AVLIF")) for _ in range(19))


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    """Models of both families, and proteins of which charge says the class, and each residue's."""
    folder = tmp_path_factory.mktemp("families")
    MODEL.save_pretrained(folder / "luca")
    small_model().save_pretrained(folder / "code")
    draw = np.random.default_rng(0)
    for name, number in (("train", 40), ("test", 16)):
        rows = [protein(draw, 0.9 if i % 2 else 0.1) for i in range(number)]
        texts = [f"p{name}{i},{text},{'high' if i % 2 else 'low'}" for i, text in enumerate(rows)]
        (folder / f"{name}.csv").write_text("id,protein,label\n" + "\n".join(texts) + "\n")
        charged = ["".join("1" if x in "DEKR" else "0" for x in text) for text in rows]
        sites = [f"p{name}{i},{text},{own}" for i, (text, own) in enumerate(zip(rows, charged, strict=True))]
        (folder / f"{name}_sites.csv").write_text("id,protein,charged\n" + "\n".join(sites) + "\n")
    return folder


@pytest.mark.parametrize(("most", "said"), [(None, True), (4, True), (3, False)])
def test_windows_are_said_of_what_is_read_of_a_sequence(most, said, tmp_path):
    """Ten letters are read at once, and three codons are nine."""
    lines = "".join(f"ACGTACGTACGTA{'ACGT'[i]},{'ab'[i % 2]}\n" for i in range(4))
    (tmp_path / "a.csv").write_text("sequence,label\n" + lines)
    data = read_task(SequenceTask(train=f"{tmp_path}/a.csv"))
    notes = SequenceBlocks(Probe(max_codons=most), data, data.train).notes(ModelReader("short", SHORT))
    assert [note.split()[0] for note in notes] == (["4"] if said else [])


@pytest.mark.parametrize(("model", "tuning"), [("luca", "probe"), ("luca", "lora")])
def test_proteins_from_training_to_predictions(files, model, tuning):
    run_dir = files / f"{model}_{tuning}"
    task = (f"task.train={files}/train.csv", f"task.test={files}/test.csv", "task.molecule=protein")
    others = ("baselines=[constant,residues]", f"tuning={tuning}", f"run_dir={run_dir}", "fit.epochs=2")
    assert main(["finetune", f"checkpoint={files}/{model}", *task, *others]) == 0
    metrics = json.loads((run_dir / "metrics.json").read_text())
    assert metrics["baselines"]["residues"]["accuracy"]["mean"] > 0.9
    assert metrics["test"]["accuracy"]["mean"] > (0.8 if tuning == "probe" else 0.4)
    output = files / f"{model}_{tuning}.csv"
    assert main(["predict", f"checkpoint={run_dir}", f"input={files}/test.csv", f"output={output}"]) == 0
    told, found = (read_csv(path).to_pandas() for path in (run_dir / "predictions.csv", output))
    assert found["id"].tolist() == told["id"].tolist()
    np.testing.assert_allclose(found["p(high)"], told["p(high)"], atol=1e-5)
    loaded = lifecode.load(run_dir)
    assert loaded.molecule == "protein"
    np.testing.assert_allclose(loaded.predict(["MDEKR"] * 2)[0], loaded.predict("mdekr")[0], atol=1e-6)


@pytest.mark.parametrize(("model", "tuning"), [("luca", "full"), ("code", "probe"), ("code", "head")])
def test_proteins_from_python(files, model, tuning):
    task = SequenceTask(train=f"{files}/train.csv", test=f"{files}/test.csv", molecule="protein")
    result = lifecode.finetune(
        task,
        checkpoint=lifecode.load(files / model),
        tuning=tuning,
        fit=Fit(epochs=2),
        baselines=["constant"],
        progress=False,
    )
    assert any("read as codons" in note for note in result.notes) == (model == "code")
    texts = [row.split(",")[1] for row in (files / "test.csv").read_text().splitlines()[1:]]
    found = result.model.predict(texts)[:, 0]
    np.testing.assert_allclose(found, result.predictions["p(high)"], atol=1e-5)


@pytest.mark.parametrize("tuning", ["probe", "head"])
def test_labels_of_residues(files, tuning):
    task = SequenceTask(
        train=f"{files}/train_sites.csv", test=f"{files}/test_sites.csv", molecule="prot", unit="residue"
    )
    result = lifecode.finetune(
        task,
        checkpoint=MODEL,
        tuning=tuning,
        fit=Fit(epochs=10, batch=4, lr=1e-2),
        baselines=["constant", "residue_one_hot"],
        progress=False,
    )
    assert result.metrics["test"]["accuracy"]["mean"] > (0.9 if tuning == "probe" else 0.7)
    assert result.metrics["baselines"]["residue_one_hot"]["accuracy"]["mean"] == 1.0
    assert len(result.table) == 16 * 20


def test_a_sequence_that_is_longer_than_the_model_is_said(files):
    task = SequenceTask(train=f"{files}/train.csv", molecule="protein")
    result = lifecode.finetune(task, checkpoint=SHORT, folds=2, baselines=["constant"], progress=False)
    assert any(note.startswith("40 sequences of more than 10 letters are read in") for note in result.notes)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({}, "no column holds DNA or RNA; 'protein' may hold proteins. Say task.molecule=protein"),
        ({"molecule": "protein", "unit": "codon"}, "task.unit: is codon, and the sequences are proteins"),
        ({"molecule": "protein", "sequence": "id"}, "'0' at position 7 is no residue"),
    ],
)
def test_proteins_are_said_and_never_guessed(files, changes, said):
    with pytest.raises(UserError) as fault:
        lifecode.finetune(SequenceTask(train=f"{files}/train.csv", **changes), checkpoint=MODEL)
    assert said in str(fault.value)


def test_baselines_of_the_other_molecule_are_one_line(files):
    task = SequenceTask(train=f"{files}/train.csv", molecule="protein")
    with pytest.raises(UserError, match="codon_frequency is not of proteins"):
        lifecode.finetune(task, checkpoint=MODEL, baselines=["codon_frequency"], progress=False)


@pytest.mark.parametrize("kinds", [("dna", "protein"), ("protein", "protein"), ("dna", "dna")])
def test_pairs_of_genes_and_proteins(tmp_path, kinds):
    draw = np.random.default_rng(1)
    letters = {"dna": "ACGT", "protein": "ACDEFGHIKLMNPQRSTVWY"}
    rows = []
    for number in range(24):
        first, second = ("".join(draw.choice(list(letters[kind]), size=12)) for kind in kinds)
        rows.append(f"{first},{second},{number % 2}")
    (tmp_path / "pairs.csv").write_text("first,second,label\n" + "\n".join(rows) + "\n")
    task = PairTask(train=f"{tmp_path}/pairs.csv", first_kind=kinds[0], second_kind=kinds[1])
    result = lifecode.finetune(
        task, checkpoint=MODEL, folds=2, baselines=["constant", "untrained"], progress=False
    )
    assert set(result.evidence.predictions) == {"model", "constant", "untrained"}
    assert len(result.predictions) == 24


def test_lora_reaches_the_layers_of_a_model_of_letters(files):
    task = SequenceTask(train=f"{files}/train.csv", molecule="protein")
    with pytest.raises(UserError, match=r"'a_proj' is no linear layer of the stack\. Use down_proj, k_proj"):
        lifecode.finetune(
            task, checkpoint=MODEL, tuning="lora", lora=Lora(targets=["a_proj"]), progress=False, baselines=[]
        )
    with pytest.raises(UserError, match=r"head.layer: is 9"):
        lifecode.finetune(task, checkpoint=MODEL, tuning="head", head=TrainedHead(layer=9), progress=False)


@pytest.mark.parametrize("model", [MODEL, small_model()])
def test_the_grid_of_the_paper_on_pairs_of_a_gene_and_a_protein(tmp_path, model):
    draw = np.random.default_rng(1)
    rows = []
    for number in range(24):
        dna = "".join(draw.choice(list("ACGT" if number % 2 else "AT"), size=12))
        rows.append(f"{dna},{''.join(draw.choice(list('ACDEFGHIKL'), size=6))},{number % 2}")
    (tmp_path / "pairs.csv").write_text("first,second,label\n" + "\n".join(rows) + "\n")
    task = PairTask(train=f"{tmp_path}/pairs.csv", first_kind="dna", second_kind="protein")
    result = lifecode.finetune(
        task,
        checkpoint=model,
        tuning="head",
        head=TrainedHead(pools=["value_attention"], encoder=[None, "1x2"], projection=6, hidden=5),
        fit=Fit(epochs=2, batch=[8, 16]),
        pair=PairHead(joins=[]),
        folds=2,
        baselines=["constant"],
        progress=False,
    )
    tried = result.metrics["tried"][0]
    assert [(one["batch"], one["encoder"]) for one in tried] == [
        (8, None),
        (8, "1x2"),
        (16, None),
        (16, "1x2"),
    ]
    assert len(result.predictions) == 24
    save_tuned(result.model, tmp_path)
    loaded = lifecode.load(tmp_path)
    asked = [("ACGTACGTACGT", "ACDEFG"), ("AATTAATTAATT", "GHIKLM")]
    np.testing.assert_allclose(loaded.predict(asked), result.model.predict(asked), atol=1e-6)
