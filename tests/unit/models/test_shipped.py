"""The model that comes with the package: there under its name, small, licensed, as good as its card says."""

import doctest
import json
from pathlib import Path

import pytest
import torch

import lifecode
from lifecode.app.main import main
from lifecode.data import BlockSplit, prepare_corpus
from lifecode.errors import UserError
from lifecode.evaluation.masked_genes import HeldOut, held_out_genes, masked_metrics, read_masked
from lifecode.models.hub import model_folder
from lifecode.models.shipped import shipped_models
from tests.support.repository import ROOT

FOLDER = shipped_models()["lifecode-mini"]


@pytest.fixture(scope="module")
def metrics() -> dict:
    return json.loads((FOLDER / "metrics.json").read_text())


def test_a_name_is_enough(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    model = lifecode.LifeCode.from_pretrained("lifecode-mini")
    assert 3_000_000 < sum(parameter.numel() for parameter in model.parameters()) < 4_000_000
    vectors = model.embed(["ATGAAACGCATTAGC", "AUGGCU"])
    assert vectors.shape == (2, model.width)
    assert vectors.dtype == torch.float32
    assert torch.isfinite(vectors).all()


def test_a_folder_of_that_name_goes_first_and_a_path_is_never_a_name(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert model_folder("lifecode-mini") == model_folder("lifecode-mini@1") == FOLDER
    with pytest.raises(UserError, match="no such model folder"):
        model_folder(Path("lifecode-mini"))
    Path("lifecode-mini").mkdir()
    assert model_folder("lifecode-mini") == Path("lifecode-mini")


def test_a_wrong_name_is_told_the_right_one():
    with pytest.raises(UserError, match="lifecode-mini"):
        model_folder("lifecode-mimi")


def test_it_is_small_and_in_half_precision():
    assert sum(path.stat().st_size for path in FOLDER.iterdir()) < 15_000_000
    from safetensors.torch import load_file

    assert {tensor.dtype for tensor in load_file(FOLDER / "model.safetensors").values()} == {torch.float16}


def test_embed_takes_it_when_no_model_is_named(tmp_path, small_genome, capsys):
    assert main(["embed", f"input={small_genome}", f"output={tmp_path}/genes.npz"]) == 0
    assert "sequences embedded" in capsys.readouterr().out


def test_the_card_says_what_was_measured(metrics):
    card = (FOLDER / "MODEL_CARD.md").read_text()
    for name, source in metrics["sources"].items():
        row = next(line for line in card.splitlines() if line.startswith(f"| `{name}`"))
        assert f"{source['heldout']['masked_codon_cross_entropy']['value']:.3f}" in row
        for baseline in ("codon_unigram", "codon_bigram"):
            assert f"{source['baselines'][baseline]['value']:.3f}" in row
    for part in ("## Data", "## Licence", "## Recipe", "## Held-out figures", "## What it is not good for"):
        assert part in card


@pytest.mark.slow
def test_what_the_card_says_of_e_coli_can_be_measured_again(metrics, tmp_path):
    """Its held-out genes follow from the genome that ships; their masks are others here."""
    corpus = prepare_corpus("ecoli", tmp_path / "corpus", split=BlockSplit(clusters=0.5))
    genes = held_out_genes(corpus.segments("cds", "test"), HeldOut())
    said = metrics["sources"]["ecoli_K12_MG1655.gbff.gz"]
    assert said["genes"] <= len(genes) <= said["genes"] + 1  # one resembles a gene of the first sitting
    model = lifecode.LifeCode.from_pretrained("lifecode-mini")
    figures = masked_metrics(read_masked(model, genes, 8192))
    for name, tolerance in (("masked_codon_cross_entropy", 0.02), ("masked_translation_accuracy", 0.01)):
        assert figures[name].value == pytest.approx(said["heldout"][name]["value"], abs=tolerance)


def test_the_example_of_the_package_is_true():
    assert doctest.testmod(lifecode) == (0, 3)


def test_the_licences_of_its_data_are_in_the_notice():
    notice = (ROOT / "NOTICE").read_text()
    assert "lifecode/assets/lifecode-mini" in notice
    assert "CC BY 4.0" in notice
